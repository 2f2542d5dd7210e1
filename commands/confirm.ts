import { createInterface } from "node:readline";
import type { Call } from "./call";

/** Whether the operator confirms: CONFIRM, or the answer typed at the terminal, must be the cluster's name. */
export async function confirmed(
  { variable }: Pick<Call, "variable">,
  cluster: string,
  doing: string,
): Promise<boolean> {
  return (
    (variable("CONFIRM") ?? (await ask(`Type the cluster's name (${cluster}) to ${doing}: `))) === cluster
  );
}

function ask(question: string): Promise<string> {
  // On standard error: standard output is for the command's result.
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    terminal.question(question, (answer) => {
      resolve(answer.trim());
      terminal.close();
    });
    // No answer (end of input) means no.
    terminal.on("close", () => resolve(""));
  });
}
