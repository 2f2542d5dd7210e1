/**
 * A cluster's owner, in a volume of its own beside the data volumes. Not a label: another
 * label is another volume, and that would take the data along.
 */
import type Dockerode from "dockerode";
import { type Mark, type MarkStore, markText, readMark } from "../owner-mark";
import { dockerEngine, isNotFound } from "./engine";
import { LABELS, ownerVolumeName } from "./names";
import { readVolumeFile, removeHelpers, withVolume, writeVolumeFile } from "./volume-files";

const FILE = "owner.json";
/** Whoever holds the volume reads and writes for a moment; a helper that is older was left by a run that was killed. */
const HELD_SECONDS = 30;

/** Does what the engine refuses as long as somebody else holds the volume. */
async function whenFree<T>(engine: Dockerode, volume: string, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 2 * HELD_SECONDS * 1000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 409 || Date.now() > deadline) throw error;
      await removeHelpers(engine, volume, HELD_SECONDS);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

export function dockerMark(cluster: string): MarkStore {
  const volume = ownerVolumeName(cluster);
  const found = async (helper: Dockerode.Container): Promise<Mark | undefined> => {
    const text = await readVolumeFile(helper, FILE);
    return text === undefined ? undefined : readMark(text);
  };
  return {
    async look() {
      const engine = dockerEngine();
      const filters = JSON.stringify({ label: [`${LABELS.stack}=${cluster}`] });
      const { Volumes } = await engine.listVolumes({ filters });
      const data = Volumes.filter(({ Labels }) => Labels[LABELS.replica] !== undefined).map(
        ({ Name }) => Name,
      );
      if (!Volumes.some(({ Name }) => Name === volume)) return { data: data.sort() };
      await removeHelpers(engine, volume, HELD_SECONDS);
      const mark = await withVolume(engine, volume, {}, found);
      return { data: data.sort(), ...(mark && { mark }) };
    },

    async write(make) {
      const engine = dockerEngine();
      // Making one that is there changes nothing.
      await engine.createVolume({ Name: volume, Labels: { [LABELS.stack]: cluster } });
      // The engine lets one container have a name: whoever made it may write.
      await whenFree(engine, volume, () =>
        withVolume(engine, volume, { name: `${volume}-lock` }, async (helper) => {
          await writeVolumeFile(helper, FILE, markText(make(await found(helper))));
        }),
      );
    },

    async remove() {
      const engine = dockerEngine();
      await whenFree(engine, volume, () => engine.getVolume(volume).remove()).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    },
  };
}
