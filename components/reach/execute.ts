/** Commands in members, wherever these run. */
import type { Execution } from "./cluster-members";
import { dockerEngine, execIn } from "./docker/engine";
import { execInPod } from "./kubernetes/pods";
import type { Reach } from "./reach";

/**
 * Runs a command in a member and gives its exit code and both of its outputs. Fails when the member does not run, or the command takes longer
 * than its time; undefined for a server outside the stack, in which nothing can be run.
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
      // A pod of ours has one container, which the API server takes when none is named.
      return execInPod({ namespace, pod, container: "" }, command, timeoutSeconds);
    }
  }
}
