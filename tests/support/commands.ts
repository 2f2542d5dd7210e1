import { spawn } from "node:child_process";
import { join } from "node:path";
import { PROJECT } from "../../commands/programs";
import type { TestStack } from "./stack";

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Given {
  /** `NAME=value` of its line. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** What comes on its input. Default: nothing. */
  readonly input?: string;
}

/** Runs a program to its end, whatever it says. */
export function ended(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input = "",
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd: PROJECT, stdio: ["pipe", "pipe", "pipe"] });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.once("error", reject);
    // Who does not read his input may be gone before it has come.
    child.stdin.on("error", () => {});
    child.once("close", (code) =>
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(stdout).toString("utf8"),
        stderr: Buffer.concat(stderr).toString("utf8"),
      }),
    );
    child.stdin.end(input);
  });
}

/** Whoever runs the commands of a test's stack, as `make` runs them. */
export class Operator {
  constructor(
    private readonly stack: TestStack,
    /** Says as whom the commands act. */
    private readonly variables: NodeJS.ProcessEnv = {},
  ) {}

  env(variables: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    const { name, folder } = this.stack;
    return { ...process.env, ...this.variables, STACK: name, STACK_FOLDER: folder, ...variables };
  }

  readonly words = (command: string, ...args: readonly string[]): readonly [string, ...string[]] => [
    process.execPath,
    join(PROJECT, "commands/bin.js"),
    command,
    ...args,
  ];

  run(command: string, { variables, args = [], input }: Given = {}): Promise<Ended> {
    const [program, ...words] = this.words(command, ...args);
    return ended(program, words, this.env(variables), input);
  }

  /** Of a command that must succeed: what it printed. */
  async says(command: string, given: Given = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, given);
    if (code !== 0) throw new Error(`${command} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** The one document of a command, whatever its exit code. */
  async json(command: string, { args = [], ...given }: Given = {}) {
    const { code, stdout, stderr } = await this.run(command, { ...given, args: ["--json", ...args] });
    try {
      return { code, document: JSON.parse(stdout) };
    } catch (error) {
      const said = `${command} --json ended with ${code} and printed no document:\n${stdout}${stderr}`;
      throw new Error(said, { cause: error });
    }
  }

  /** Types at a command's terminal, each line when what stands before it has been seen. Resolves with all that was shown. */
  async types(command: string, steps: readonly (readonly [seen: string, typed: string])[]): Promise<Ended> {
    const script = JSON.stringify({ words: this.words(command), steps });
    return ended("python3", ["-c", TERMINAL, script], this.env());
  }
}

/** Runs a program on a terminal of 40 rows and 132 columns, and prints all that it showed. */
const TERMINAL = `
import fcntl, json, os, pty, select, struct, sys, termios, time
asked = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 132, 0, 0))
    os.execvp(asked["words"][0], asked["words"])
shown, at = "", 0
def look():
    global shown
    if not select.select([terminal], [], [], 0.1)[0]: return True
    try: piece = os.read(terminal, 65536)
    except OSError: return False
    shown += piece.decode("utf8", "replace")
    return len(piece) > 0
deadline = time.time() + 120
for seen, typed in asked["steps"]:
    while seen not in shown[at:] and time.time() < deadline and look(): pass
    at = len(shown)
    os.write(terminal, typed.encode())
while time.time() < deadline and look(): pass
print(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
