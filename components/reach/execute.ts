/** Running commands in members, on any platform. */
import type { Execution } from "./cluster-members";
import { dockerEngine, execIn } from "./docker/engine";
import { execInPod } from "./kubernetes/pods";
import type { Reach } from "./reach";

/**
 * Runs a command in a member and returns its exit code and outputs. Fails if the member does not run or the command exceeds its timeout.
 * Undefined for a server outside the stack, where no command can be run.
 */
export async function executeIn(
  reach: Reach,
  command: readonly string[],
  timeoutSeconds: number,
): Promise<Execution | undefined> {
  switch (reach.via) {
    case "tcp":
      return undefined;
    case "docker":
      return execIn(dockerEngine(), reach.container, command, timeoutSeconds);
    case "kubernetes": {
      const { namespace, pod } = reach;
      // Our pods have a single container, which is the API server's default.
      return execInPod({ namespace, pod, container: "" }, command, timeoutSeconds);
    }
  }
}
