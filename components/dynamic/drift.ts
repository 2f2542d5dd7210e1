import { printProgress } from "./progress";
import { messageOf } from "./reason";

/**
 * Looks at a server for `read`. One that cannot be looked at is neither gone nor as it was: the refresh goes on, since it is what heals
 * a cluster that has lost members, and `drift` makes the `up` after it run `update`, which looks again once they are back.
 */
export async function orDrift<Recorded extends object, Seen>(
  id: string,
  recorded: Recorded,
  look: () => Promise<Seen>,
): Promise<Seen | { id: string; props: Recorded & { drift: readonly string[] } }> {
  try {
    return await look();
  } catch (error) {
    const reason = messageOf(error);
    printProgress(`could not be read; the next update verifies it: ${reason}`);
    return { id, props: { ...recorded, drift: [`could not be read: ${reason}`] } };
  }
}
