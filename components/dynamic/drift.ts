import { printProgress } from "./progress";
import { messageOf } from "./reason";

/**
 * Reads the state of a server for `read`. If it cannot be read, it is neither deleted nor verified: the refresh continues, since it repairs
 * a cluster that has lost members, and `drift` makes the next `up` run `update`, which reads it again once they are back.
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
