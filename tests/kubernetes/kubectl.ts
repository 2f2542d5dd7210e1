import { execFile } from "node:child_process";

interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

/** The program, and what KUBECTL says that comes first. */
export function kubectlCommand(): [program: string, ...first: string[]] {
  const [program = "kubectl", ...first] = (process.env["KUBECTL"] ?? "kubectl").split(" ");
  return [program, ...first];
}

/** Runs kubectl and gives what it said; fails when it does. */
export function kubectlSays(args: readonly string[], input?: string): Promise<Said> {
  const [program, ...first] = kubectlCommand();
  return new Promise((resolve, reject) => {
    // Given, since Jest's tests have a copy of the environment, which children do not see by themselves.
    const options = { env: process.env, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(program, [...first, ...args], options, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`kubectl ${args.slice(0, 3).join(" ")}: ${stderr.trim() || error.message}`));
      else resolve({ stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

export const kubectl = async (args: readonly string[], input?: string): Promise<string> =>
  (await kubectlSays(args, input)).stdout;
