/**
 * A cluster's owner, in a volume of its own beside the data volumes; part of serialised providers, see engine.ts. Not a label: another
 * label is another volume, and that would take the data along.
 */
import type Dockerode from "dockerode";
import { markText, readMark } from "../mark-text";
import type { Mark, MarkStore } from "../owner-place";
import { dockerEngine, isNotFound } from "./engine";
import { LABELS, ownerVolumeName } from "./names";
import { readVolumeFile, withVolume, writeVolumeFile } from "./volume-files";

const FILE = "owner.json";
/** Whoever holds the lock reads and writes for a moment; one that is older was left by a run that was killed. */
const LOCK_SECONDS = 30;

/** The engine lets one container have a name: whoever made it may write. */
async function locked<T>(
  engine: Dockerode,
  volume: string,
  use: (helper: Dockerode.Container) => Promise<T>,
): Promise<T> {
  const name = `${volume}-lock`;
  const deadline = Date.now() + 2 * LOCK_SECONDS * 1000;
  for (;;) {
    try {
      return await withVolume(engine, volume, { name }, use);
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 409 || Date.now() > deadline) throw error;
      await removeStale(engine, name);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function removeStale(engine: Dockerode, name: string): Promise<void> {
  const lock = engine.getContainer(name);
  try {
    const { Created } = await lock.inspect();
    if (Date.now() - Date.parse(Created) > LOCK_SECONDS * 1000) await lock.remove({ force: true });
  } catch (error) {
    if (!isNotFound(error) && (error as { statusCode?: number }).statusCode !== 409) throw error;
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
      const mark = Volumes.some(({ Name }) => Name === volume)
        ? await withVolume(engine, volume, {}, found)
        : undefined;
      return { data: data.sort(), ...(mark && { mark }) };
    },

    async write(make) {
      const engine = dockerEngine();
      // Making one that is there changes nothing.
      await engine.createVolume({ Name: volume, Labels: { [LABELS.stack]: cluster } });
      await locked(engine, volume, async (helper) => {
        await writeVolumeFile(helper, FILE, markText(make(await found(helper))));
      });
    },

    async remove() {
      await dockerEngine()
        .getVolume(volume)
        .remove()
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    },
  };
}
