// What a killed run was in the middle of: it may have created something that is in no state.

import { messageOf } from "./fault";
import { unwrapAll } from "./properties";
import { providerOf, runningOf, type Session } from "./session";

/** Docker's clock counts whole seconds for containers. */
const CLOCK_SLACK_MS = 1000;

/**
 * Creates that were begun and never recorded are undone, so that the update that follows can do them properly.
 * Updates and deletes need nothing: the resource is still in the state, and the update does them again.
 */
export async function reconcile(session: Session): Promise<void> {
  const { snapshot, display } = session;
  for (const operation of snapshot.interrupted) {
    const { resource, type } = operation;
    if (type === "creating") {
      try {
        const provider = providerOf(session, resource.type, resource.provider);
        const since = new Date(Date.parse(resource.created ?? "") - CLOCK_SLACK_MS);
        const running = runningOf(resource, "create");
        const removed = await provider.cleanUp?.(running, unwrapAll(resource.inputs ?? {}), since);
        if (removed !== undefined)
          display.diagnostic(
            "info",
            resource.urn,
            `an interrupted run had begun to create this: ${removed} was removed`,
          );
      } catch (error) {
        display.diagnostic(
          "error",
          resource.urn,
          `what an interrupted run began to create cannot be cleaned up: ${messageOf(error)}`,
        );
        continue;
      }
    }
    snapshot.settle({ operation });
  }
}
