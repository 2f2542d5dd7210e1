/** Restarting a member from outside. */
import { dockerEngine } from "./docker/engine";
import { replacePod } from "./kubernetes/pods";
import type { Reach } from "./reach";

/** Stops a member gracefully and starts it with its current files. Resolves when it has been started. */
export async function restartMember(reach: Reach): Promise<void> {
  switch (reach.via) {
    case "docker":
      await dockerEngine().getContainer(reach.container).restart();
      return;
    case "kubernetes":
      return replacePod(reach.namespace, reach.pod);
    case "tcp":
      throw new Error(`${reach.host} is an external server: restart it there`);
  }
}
