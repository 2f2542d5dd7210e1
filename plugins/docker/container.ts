// docker:index/container:Container

import type Docker from "dockerode";
import { readFileSync } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { text as streamText } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { pack } from "tar-stream";
import { changedKeys, equal, type Properties } from "../properties";
import { InitFailed, type Provider, type Running } from "../provider";
import { containerOutputs } from "./container-outputs";
import { createRequest, endpoint, memoryBytes, unsupported } from "./container-request";
import { CONTAINER, meant, withDefaults } from "./defaults";
import { isStatus, reason } from "./engine";
import { blocks, number, sameLabels, text } from "./values";

/** What Docker changes on a running container. */
const LIVE = ["restart", "maxRetryCount", "memory", "memoryReservation", "memorySwap", "cpuShares", "cpuSet"];
/** What says how the container is handled, and is nothing of the container itself. */
const HANDLING = [
  "attach",
  "containerReadRefreshTimeoutMilliseconds",
  "destroyGraceSeconds",
  "logs",
  "mustRun",
  "removeVolumes",
  "start",
  "wait",
  "waitTimeout",
];

/** Outputs that say false where the input says true: it was not started, or did not become healthy. */
const UNDONE = ["start", "wait"];

const HEALTH_POLL_MS = 200;
const LOG_LINES_IN_ERRORS = 10;

export function containerProvider(docker: Docker): Provider {
  return {
    check: ({ name }, news, olds) => ({
      inputs: withDefaults(CONTAINER, name, news, olds),
      failures: [...unsupported(news), ...checkUploads(news)],
    }),

    diff(_, olds, news) {
      const [before, after] = [meant(olds.inputs), meant(news)];
      // What a refresh found may differ from what was asked for; these are the differences that can be mended.
      const drifted = [...LIVE, "mustRun"].filter((key) => {
        const found = olds.outputs[key];
        return after[key] !== undefined && found !== undefined && found !== null && !equal(found, after[key]);
      });
      // What was not done when it was made is not made up for by an update.
      const undone = UNDONE.filter(
        (key) => before[key] === true && after[key] === true && olds.outputs[key] === false,
      );
      const keys = [...new Set([...changedKeys(before, after), ...drifted, ...undone])];
      const replaceKeys = keys.filter(
        (key) => undone.includes(key) || (!LIVE.includes(key) && !HANDLING.includes(key)),
      );
      return { changedKeys: keys, replaceKeys, deleteBeforeReplace: replaceKeys.length > 0 };
    },

    async create(running, checked) {
      const inputs = meant(checked);
      running.status("creating");
      const container = await created(docker, running, inputs);
      let undone = "start";
      try {
        await joinNetworks(docker, container, inputs);
        await upload(container, inputs);
        if (inputs.start !== false) await start(running, container, inputs, () => (undone = "wait"));
        const logs = inputs.attach === true ? await attached(running, container, inputs) : undefined;
        return { id: container.id, outputs: containerOutputs(await container.inspect(), inputs, logs) };
      } catch (error) {
        const message = reason(error);
        const outputs = { ...containerOutputs(await container.inspect(), inputs), [undone]: false };
        throw new InitFailed(message, container.id, outputs, [message]);
      }
    },

    async read({ id }, checked, outputs) {
      try {
        const logs = typeof outputs.containerLogs === "string" ? outputs.containerLogs : undefined;
        const found = await docker.getContainer(id).inspect();
        const read = containerOutputs(found, meant(checked), logs);
        const undone = UNDONE.filter((key) => outputs[key] === false && !isDone(found));
        return { id, outputs: { ...read, ...Object.fromEntries(undone.map((key) => [key, false])) } };
      } catch (error) {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }
    },

    async update(running, olds, news) {
      const inputs = meant(news);
      const container = docker.getContainer(running.id);
      if (LIVE.some((key) => !equal(olds[key] ?? null, inputs[key] ?? null))) {
        await container.update({
          RestartPolicy: {
            Name: text(inputs.restart) || "no",
            MaximumRetryCount: number(inputs.maxRetryCount),
          },
          CpuShares: number(inputs.cpuShares),
          Memory: memoryBytes(inputs.memory),
          MemoryReservation: memoryBytes(inputs.memoryReservation),
          ...(inputs.memorySwap === undefined ? {} : { MemorySwap: memoryBytes(inputs.memorySwap) }),
          CpusetCpus: text(inputs.cpuSet),
        });
      }
      if (olds.mustRun === false && inputs.mustRun !== false && inputs.start !== false)
        await start(running, container, inputs);
      const logs = typeof olds.containerLogs === "string" ? olds.containerLogs : undefined;
      return containerOutputs(await container.inspect(), inputs, logs);
    },

    preview: (news, olds) => ({ ...olds, ...meant(news) }),

    async delete({ id, status }, inputs) {
      const container = docker.getContainer(id);
      try {
        if (inputs.attach !== true) {
          status("stopping");
          // Without a grace time the real provider gives none at all.
          await container.stop({ t: number(inputs.destroyGraceSeconds) });
        }
      } catch (error) {
        if (!isStatus(error, 304, 404)) throw error;
      }
      await remove(container, inputs.removeVolumes !== false);
    },
  };
}

/** Takes what a killed run has made and not recorded out of the way: it has the name, and our labels. */
async function created(docker: Docker, { status }: Running, inputs: Properties): Promise<Docker.Container> {
  const create = (): Promise<Docker.Container> => docker.createContainer(createRequest(inputs));
  try {
    return await create();
  } catch (error) {
    const name = text(inputs.name);
    if (!reason(error).includes(`The container name "/${name}" is already in use`)) throw error;
    const found = docker.getContainer(name);
    if (!sameLabels(inputs, (await found.inspect()).Config.Labels)) throw error;
    status("removing what an interrupted run made");
    await remove(found, inputs.removeVolumes !== false);
    return create();
  }
}

/** The networks of `networksAdvanced` are in place of the default bridge, which every container starts with. */
async function joinNetworks(docker: Docker, container: Docker.Container, inputs: Properties): Promise<void> {
  const networks = blocks(inputs.networksAdvanced);
  if (networks.length === 0) return;
  try {
    await docker.getNetwork("bridge").disconnect({ Container: container.id });
  } catch (error) {
    if (!reason(error).includes("is not connected")) throw error;
  }
  for (const network of networks) {
    await docker
      .getNetwork(text(network.name))
      .connect({ Container: container.id, EndpointConfig: endpoint(network) });
  }
}

function checkUploads(inputs: Properties): { property: string; reason: string }[] {
  return blocks(inputs.uploads)
    .map((each, i) => ({
      i,
      sources: ["content", "contentBase64", "source"].filter(
        (key) => each[key] !== undefined && each[key] !== "",
      ),
    }))
    .filter(({ sources }) => sources.length !== 1)
    .map(({ i, sources }) => ({
      property: `uploads[${i}]`,
      reason: `exactly one of content, contentBase64 and source is needed, not ${sources.length === 0 ? "none" : sources.join(" and ")}`,
    }));
}

async function upload(container: Docker.Container, inputs: Properties): Promise<void> {
  const uploads = blocks(inputs.uploads);
  if (uploads.length === 0) return;
  const archive = pack();
  for (const each of uploads) {
    const content =
      text(each.source) !== ""
        ? readFileSync(text(each.source))
        : Buffer.from(
            text(each.content) || text(each.contentBase64),
            text(each.content) === "" ? "base64" : "utf8",
          );
    const mode =
      text(each.permissions) === ""
        ? each.executable === true
          ? 0o744
          : 0o644
        : parseInt(text(each.permissions), 8);
    archive.entry({ name: text(each.file), mode, mtime: new Date() }, content);
  }
  archive.finalize();
  await container.putArchive(archive as unknown as NodeJS.ReadableStream, { path: "/" });
}

/** Somebody else, or time, has done what was not done. */
const isDone = ({ State }: Docker.ContainerInspectInfo): boolean =>
  State.Health === undefined ? State.Running : State.Health.Status === "healthy";

async function start(
  running: Running,
  container: Docker.Container,
  inputs: Properties,
  started?: () => void,
): Promise<void> {
  running.status("starting");
  try {
    await container.start();
  } catch (error) {
    if (!isStatus(error, 304)) throw error;
  }
  started?.();
  if (inputs.wait === true) await healthy(running, container, inputs);
}

async function healthy(running: Running, container: Docker.Container, inputs: Properties): Promise<void> {
  const limit = Math.min(number(inputs.waitTimeout) || 60, running.timeoutSeconds ?? Infinity);
  const deadline = Date.now() + limit * 1000;
  running.status("waiting until it is healthy");
  for (;;) {
    const { State: state } = await container.inspect();
    if (state.Health === undefined) {
      throw new Error("`wait` needs a health check, and neither the container nor its image has one");
    }
    if (state.Health.Status === "healthy") return;
    // An exited container that nothing restarts will not become healthy however long we wait.
    const ended = !state.Running && !state.Restarting && (text(inputs.restart) || "no") === "no";
    if (ended || Date.now() > deadline) {
      const check = state.Health.Log.at(-1)?.Output.trim();
      const what = ended
        ? `it exited with code ${state.ExitCode}`
        : `it is ${state.Health.Status} after ${limit} s`;
      const facts = [`container failed to be in healthy state: ${what}`];
      if (check) facts.push(`last health check: ${check}`);
      const lines = (await logsOf(container, inputs, LOG_LINES_IN_ERRORS)).trimEnd();
      if (lines !== "") facts.push(`last lines of its log:\n${lines}`);
      throw new Error(facts.join("\n"));
    }
    await sleep(HEALTH_POLL_MS);
  }
}

async function attached(
  running: Running,
  container: Docker.Container,
  inputs: Properties,
): Promise<string | undefined> {
  running.status("waiting until it ends");
  await container.wait();
  return inputs.logs === true ? logsOf(container, inputs) : undefined;
}

async function logsOf(container: Docker.Container, inputs: Properties, tail?: number): Promise<string> {
  const raw = await container.logs({
    stdout: true,
    stderr: true,
    follow: false,
    ...(tail === undefined ? {} : { tail }),
  });
  if (inputs.tty === true) return raw.toString("utf8");
  // Without a terminal it is one stream of frames of both outputs.
  const output = new PassThrough();
  const frames = Readable.from(pieces(raw)).once("end", () => output.end());
  (container.modem as Docker["modem"]).demuxStream(frames, output, output);
  return streamText(output);
}

/** docker-modem's `demuxStream` recurses for every frame of a chunk: a log of thousands of lines as one chunk overflows the stack. */
function* pieces(raw: Buffer): Generator<Buffer> {
  for (let at = 0; at < raw.length; at += 4096) yield raw.subarray(at, at + 4096);
}

async function remove(container: Docker.Container, volumes: boolean): Promise<void> {
  try {
    await container.remove({ v: volumes, force: true });
  } catch (error) {
    // 409: someone else is removing it already; wait until it is gone.
    if (isStatus(error, 404)) return;
    if (!isStatus(error, 409)) throw error;
    await container.wait({ condition: "removed" }).catch(() => undefined);
  }
}
