// docker:index/remoteImage:RemoteImage: an image that is built here, is here already, or is pulled.

import type Docker from "dockerode";
import { createInterface } from "node:readline";
import { changedKeys, isObject, type Properties } from "../properties";
import type { Provider, Running } from "../provider";
import { packContext } from "./context";
import { meant, REMOTE_IMAGE, withDefaults } from "./defaults";
import { isStatus } from "./engine";
import { number, record, text, texts } from "./values";

const META =
  '{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":1200000000000,"delete":1200000000000,"update":1200000000000}}';
const LINES_IN_ERRORS = 20;
/** These say how the image is handled; everything else makes another image. */
const HANDLING = ["forceRemove", "keepLocally"];

/** The real provider stores a build with every property that a build can have. */
const COMPLETE_BUILD: Properties = {
  additionalContexts: [],
  authConfigs: [],
  buildArgs: null,
  buildId: "",
  buildLogFile: "",
  builder: "",
  cacheFroms: [],
  cacheTos: [],
  cgroupParent: "",
  cpuPeriod: null,
  cpuQuota: null,
  cpuSetCpus: "",
  cpuSetMems: "",
  cpuShares: null,
  extraHosts: [],
  forceRemove: null,
  isolation: "",
  label: null,
  labels: null,
  memory: null,
  memorySwap: null,
  networkMode: "",
  noCache: null,
  platform: "",
  provenance: "",
  pullParent: null,
  remoteContext: "",
  sbom: "",
  secrets: [],
  securityOpts: [],
  sessionId: "",
  shmSize: null,
  squash: null,
  suppressOutput: null,
  tags: [],
  target: "",
  ulimits: [],
  useLegacyBuilder: false,
  version: "",
};

const BUILD_SETTINGS = [
  ...[
    "buildArgs",
    "cacheFroms",
    "context",
    "dockerfile",
    "extraHosts",
    "forceRemove",
    "label",
    "labels",
    "memory",
    "memorySwap",
  ],
  ...[
    "networkMode",
    "noCache",
    "platform",
    "pullParent",
    "remove",
    "shmSize",
    "tags",
    "target",
    "useLegacyBuilder",
    "version",
  ],
];

export function imageOutputs(image: Docker.ImageInspectInfo, inputs: Properties): Properties {
  const name = text(inputs.name);
  const repository = name.replace(/(@.*|:[^/:]*)$/, "");
  return {
    __meta: META,
    id: image.Id + name,
    imageId: image.Id,
    name,
    build: isObject(inputs.build) ? { ...COMPLETE_BUILD, ...inputs.build } : null,
    forceRemove: inputs.forceRemove ?? null,
    keepLocally: inputs.keepLocally ?? null,
    platform: inputs.platform ?? null,
    pullTriggers: inputs.pullTriggers ?? null,
    repoDigest: image.RepoDigests.find((digest) => digest.startsWith(`${repository}@`)) ?? "",
    triggers: inputs.triggers ?? null,
  };
}

async function inspect(docker: Docker, name: string): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(name).inspect();
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

export function remoteImageProvider(docker: Docker): Provider {
  return {
    check: ({ name }, news, olds) => ({
      inputs: withDefaults(REMOTE_IMAGE, name, news, olds),
      failures: Object.keys(isObject(news.build) ? news.build : {})
        .filter((key) => !BUILD_SETTINGS.includes(key))
        .map((key) => ({
          property: `build.${key}`,
          reason: "this plugin cannot set it; the vendor's can",
        })),
    }),
    diff(_, olds, news) {
      const keys = changedKeys(meant(olds.inputs), meant(news));
      return {
        changedKeys: keys,
        replaceKeys: keys.filter((key) => !HANDLING.includes(key)),
      };
    },
    async create(running, checked) {
      const inputs = meant(checked);
      const name = text(inputs.name);
      if (isObject(inputs.build)) await build(docker, running, name, inputs.build);
      let image = await inspect(docker, name);
      if (image === undefined) {
        await pull(docker, running, name, text(inputs.platform));
        image = await inspect(docker, name);
      }
      if (image === undefined) throw new Error(`the image ${name} is not there after pulling it`);
      return { id: image.Id + name, outputs: imageOutputs(image, inputs) };
    },
    async read(_, checked) {
      const inputs = meant(checked);
      const image = await inspect(docker, text(inputs.name));
      return image === undefined
        ? undefined
        : { id: image.Id + text(inputs.name), outputs: imageOutputs(image, inputs) };
    },
    async update(_, olds, news) {
      const image = await inspect(docker, text(news.name));
      return image === undefined ? { ...olds, ...meant(news) } : imageOutputs(image, meant(news));
    },
    preview: (news, olds) => ({ ...olds, ...meant(news) }),
    async delete(_, inputs, outputs) {
      if (inputs.keepLocally === true) return;
      const name = text(inputs.name);
      const image = await inspect(docker, name);
      // The replacement of an image usually has its name; what is found there then is not ours to remove.
      if (image === undefined || image.Id !== outputs.imageId) return;
      await docker.getImage(name).remove({ force: inputs.forceRemove === true });
    },
  };
}

interface Progress {
  readonly stream?: string;
  readonly status?: string;
  readonly error?: string;
}

/** Reads Docker's reports of what it does; the last lines become part of an error. */
async function follow(running: Running, reports: NodeJS.ReadableStream, what: string): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: reports })) {
    if (line.trim() === "") continue;
    const report = JSON.parse(line) as Progress;
    if (report.error !== undefined) {
      throw new Error(`${what}: ${report.error}\n${lines.slice(-LINES_IN_ERRORS).join("\n")}`.trimEnd());
    }
    const said = (report.stream ?? report.status ?? "").trim();
    if (said === "") continue;
    lines.push(said);
    running.status(said);
  }
}

async function build(docker: Docker, running: Running, name: string, settings: Properties): Promise<void> {
  const { archive, dockerfile } = packContext(
    text(settings.context) || ".",
    text(settings.dockerfile) || "Dockerfile",
  );
  const wanted = {
    t: name,
    dockerfile,
    buildargs: record(settings.buildArgs),
    cachefrom: texts(settings.cacheFroms).length > 0 ? JSON.stringify(texts(settings.cacheFroms)) : undefined,
    extrahosts: texts(settings.extraHosts).join(",") || undefined,
    forcerm: true,
    labels: { ...record(settings.label), ...record(settings.labels) },
    memory: number(settings.memory) || undefined,
    memswap: number(settings.memorySwap) || undefined,
    networkmode: text(settings.networkMode) || undefined,
    nocache: settings.noCache === true,
    platform: text(settings.platform) || undefined,
    pull: settings.pullParent === true ? "1" : undefined,
    rm: settings.remove !== false,
    shmsize: number(settings.shmSize) || undefined,
    target: text(settings.target) || undefined,
  };
  // An option that is sent empty is not the same as one that is not sent.
  const options = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  const reports = await docker.buildImage(archive, options as unknown as Docker.ImageBuildOptions);
  await follow(running, reports, `the build of ${name} failed`);
  for (const tag of texts(settings.tags)) {
    const at = tag.lastIndexOf(":");
    await docker
      .getImage(name)
      .tag(at > tag.lastIndexOf("/") ? { repo: tag.slice(0, at), tag: tag.slice(at + 1) } : { repo: tag });
  }
}

async function pull(docker: Docker, running: Running, name: string, platform: string): Promise<void> {
  const reports = await docker.pull(name, platform === "" ? {} : { platform });
  await follow(running, reports, `the image ${name} cannot be pulled`);
}
