/**
 * A cluster's owner, in a separate volume next to the data volumes. Not in a label: changing a label recreates the volume and
 * would delete the data.
 */
import type Dockerode from "dockerode";
import { type Mark, type MarkStore, markText, readMark } from "../owner-mark";
import { dockerEngine, isNotFound } from "./engine";
import { LABELS, ownerVolumeName } from "./names";
import { readVolumeFile, removeHelpers, withVolume, writeVolumeFile } from "./volume-files";

const FILE = "owner.json";
/** A run holds the volume only for a moment; an older helper was left behind by a run that was killed. */
const HELD_SECONDS = 30;

/** Retries while the engine rejects the attempt because another run holds the volume. */
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
      // Does nothing if the volume exists.
      await engine.createVolume({ Name: volume, Labels: { [LABELS.stack]: cluster } });
      // Container names are unique on the engine, so only the run that created this container may write.
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
