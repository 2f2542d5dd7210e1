/** Reads and writes a volume's files through short-lived helper containers. */
import type Dockerode from "dockerode";
import { packArchive, unpackArchive } from "./archive";
import { isNotFound } from "./engine";
import {
  type Files,
  type Laid,
  laidFiles,
  layoutEntries,
  sameFiles,
  staleNames,
} from "./mounted-files-layout";

/** The directory below `/` where helpers mount the volume. */
const ROOT = "files";
const HELPER_LABEL = "postgres-cluster.helper";
/** An empty image: the engine can read and write the volumes of a container that never runs. */
const EMPTY_IMAGE = { repo: "postgres-cluster/empty", tag: "1" };

/** Arguments: the names to remove. `mv -T` is rename(2), which is atomic for readers. */
const SWITCH_SCRIPT = 'cd /files && mv -T ..data_new ..data && rm -rf -- "$@"';

/** Makes the volume contain exactly `files`. Removes the leftovers of a run that was killed first. */
export async function writeVolume(
  engine: Dockerode,
  volume: string,
  files: Files,
  owner: number,
): Promise<void> {
  await removeHelpers(engine, volume);
  const laid = await readVolume(engine, volume);
  if (sameFiles(laid.files, files)) return;
  const readers = await engine.listContainers({ all: true, filters: { volume: [volume] } });
  const image = readers.find((reader) => reader.Labels[HELPER_LABEL] === undefined)?.ImageID;
  const version = `..${Date.now().toString(36)}`;
  if (image === undefined) {
    // No readers, so the change need not be atomic. Recreating the volume removes files without running a program.
    if (laid.top.length > 0) await emptyVolume(engine, volume);
    const archive = await packArchive(layoutEntries(ROOT, files, version, "..data", []), owner);
    await withHelper(engine, volume, {}, (helper) => helper.putArchive(archive, { path: "/" }));
    return;
  }
  const options: Dockerode.ContainerCreateOptions = {
    Image: image,
    User: `${owner}:${owner}`,
    Entrypoint: ["/bin/sh", "-c", SWITCH_SCRIPT, "sh"],
    Cmd: staleNames(laid, files, version),
  };
  const archive = await packArchive(layoutEntries(ROOT, files, version, "..data_new", laid.top), owner);
  await withHelper(engine, volume, options, async (helper) => {
    await helper.putArchive(archive, { path: "/" });
    await helper.start();
    const { StatusCode } = (await helper.wait()) as { StatusCode: number };
    if (StatusCode !== 0)
      throw new Error(
        `the files of volume ${volume} could not be replaced: mv or rm failed with exit code ${StatusCode}`,
      );
  });
}

export async function readVolume(engine: Dockerode, volume: string): Promise<Laid> {
  return withHelper(engine, volume, {}, async (helper) => {
    return laidFiles(await unpackArchive(await helper.getArchive({ path: `/${ROOT}` })), ROOT);
  });
}

/** Whether a volume has a file of this name at its top level. */
export async function volumeHas(engine: Dockerode, volume: string, file: string): Promise<boolean> {
  return withHelper(engine, volume, {}, (helper) =>
    helper.infoArchive({ path: `/${ROOT}/${file}` }).then(
      (answer) => {
        // An unread response keeps its connection open, and so this process alive.
        (answer as NodeJS.ReadableStream).resume();
        return true;
      },
      (error: unknown) => {
        if (isNotFound(error)) return false;
        throw error;
      },
    ),
  );
}

/** Lets `use` read and write a volume's files through a helper, which holds the volume meanwhile. `name` is the helper's name. */
export const withVolume = <T>(
  engine: Dockerode,
  volume: string,
  options: { readonly name?: string },
  use: (helper: Dockerode.Container) => Promise<T>,
): Promise<T> => withHelper(engine, volume, options, use);

/** The text of a file at the top level of a helper's volume; undefined if it does not exist. */
export async function readVolumeFile(helper: Dockerode.Container, file: string): Promise<string | undefined> {
  try {
    const entries = await unpackArchive(await helper.getArchive({ path: `/${ROOT}/${file}` }));
    return entries.find(({ kind }) => kind === "file")?.content;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Writes a file at the top level of a helper's volume. Only root can read it. */
export async function writeVolumeFile(
  helper: Dockerode.Container,
  file: string,
  text: string,
): Promise<void> {
  const archive = await packArchive([{ name: `${ROOT}/${file}`, kind: "file", content: text }], 0);
  await helper.putArchive(archive, { path: "/" });
}

/**
 * Removes the helpers that an interrupted run has left; they would hold the volume.
 * @param olderThanSeconds spares younger helpers, which another run may be using. Default 0.
 */
export async function removeHelpers(engine: Dockerode, volume: string, olderThanSeconds = 0): Promise<void> {
  const filters = { label: [`${HELPER_LABEL}=${volume}`] };
  for (const { Id, Created } of await engine.listContainers({ all: true, filters }))
    if (Date.now() / 1000 - Created >= olderThanSeconds) await removeContainer(engine.getContainer(Id));
}

async function withHelper<T>(
  engine: Dockerode,
  volume: string,
  options: Dockerode.ContainerCreateOptions,
  use: (helper: Dockerode.Container) => Promise<T>,
): Promise<T> {
  const create = (): Promise<Dockerode.Container> =>
    engine.createContainer({
      Image: `${EMPTY_IMAGE.repo}:${EMPTY_IMAGE.tag}`,
      Cmd: ["never-started"],
      Labels: { [HELPER_LABEL]: volume },
      Healthcheck: { Test: ["NONE"] },
      HostConfig: {
        NetworkMode: "none",
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        Mounts: [{ Type: "volume", Source: volume, Target: `/${ROOT}` }],
      },
      ...options,
    });
  const helper = await create().catch(async (error: unknown) => {
    if (!isNotFound(error) || options.Image !== undefined) throw error;
    await importEmptyImage(engine);
    return create();
  });
  try {
    return await use(helper);
  } finally {
    await removeContainer(helper);
  }
}

async function removeContainer(container: Dockerode.Container): Promise<void> {
  await container.remove({ force: true, v: false }).catch((error: unknown) => {
    // 409: another run is already removing it.
    if (!isNotFound(error) && (error as { statusCode?: number }).statusCode !== 409) throw error;
  });
}

async function importEmptyImage(engine: Dockerode): Promise<void> {
  const { Readable } = require("node:stream") as typeof import("node:stream");
  const emptyTar = Readable.from([Buffer.alloc(1024)]);
  const progress = await engine.importImage(emptyTar, EMPTY_IMAGE);
  await new Promise<void>((resolve, reject) => {
    engine.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
  });
}

async function emptyVolume(engine: Dockerode, name: string): Promise<void> {
  const volume = engine.getVolume(name);
  const { Driver, Labels, Options } = await volume.inspect();
  await volume.remove();
  await engine.createVolume({
    Name: name,
    Driver,
    Labels,
    ...(Options && { DriverOpts: Options }),
  });
}
