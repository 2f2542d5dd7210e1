import { createInterface } from "node:readline";
import type { Call } from "./call";

/** Whether the operator means it: CONFIRM, or what is typed at the terminal, must be the cluster's name. */
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
  // On standard error, since what a command is for goes to its output.
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    terminal.question(question, (answer) => {
      resolve(answer.trim());
      terminal.close();
    });
    // Without an answer (end of input) nothing is done.
    terminal.on("close", () => resolve(""));
  });
}
