// The values that the real docker provider fills into inputs. It notes in `__defaults` which ones it chose itself;
// so do we, or its first preview of a state that these plugins wrote would show changes.

import { randomBytes } from "node:crypto";
import { isObject, type Properties, type Value } from "../properties";

export interface Block {
  readonly defaults?: Properties;
  /** Properties that hold such blocks in turn: one, or a list of them. */
  readonly blocks?: Readonly<Record<string, Block>>;
}

export interface Schema extends Block {
  /** The name is made from the resource's if the program gives none. */
  readonly autoname?: boolean;
}

const LABELS: Block = {};

export const CONTAINER: Schema = {
  autoname: true,
  defaults: {
    containerReadRefreshTimeoutMilliseconds: 15000,
    mustRun: true,
    networkMode: "bridge",
    removeVolumes: true,
    restart: "no",
    start: true,
    waitTimeout: 60,
  },
  blocks: {
    capabilities: {},
    deviceReadBps: {},
    deviceReadIops: {},
    deviceRequests: { defaults: { driver: "cdi" } },
    deviceWriteBps: {},
    deviceWriteIops: {},
    devices: { defaults: { permissions: "rwm" } },
    healthcheck: { defaults: { interval: "0s", startInterval: "0s", startPeriod: "0s", timeout: "0s" } },
    hosts: {},
    labels: LABELS,
    mounts: { blocks: { bindOptions: {}, tmpfsOptions: {}, volumeOptions: { blocks: { labels: LABELS } } } },
    networksAdvanced: {},
    ports: { defaults: { ip: "0.0.0.0", protocol: "tcp" } },
    ulimits: {},
    uploads: {},
    volumes: {},
  },
};

export const REMOTE_IMAGE: Schema = {
  blocks: {
    build: {
      defaults: { dockerfile: "Dockerfile", remove: true },
      blocks: { authConfigs: {}, secrets: {}, ulimits: {} },
    },
  },
};

export const NETWORK: Schema = {
  autoname: true,
  defaults: { ipamDriver: "default" },
  blocks: { ipamConfigs: {}, labels: LABELS },
};

export const VOLUME: Schema = { autoname: true, blocks: { labels: LABELS } };

/** The inputs with all defaults; a name chosen earlier stays. */
export function withDefaults(
  schema: Schema,
  resourceName: string,
  news: Properties,
  olds: Properties | undefined,
): Properties {
  const chosen: Properties = { ...schema.defaults };
  if (schema.autoname === true && news.name === undefined) {
    const before = olds?.__defaults;
    const keep = Array.isArray(before) && before.includes("name") ? olds?.name : undefined;
    chosen.name = keep ?? `${resourceName}-${randomBytes(4).toString("hex").slice(0, 7)}`;
  }
  return fillIn({ ...schema, defaults: chosen }, news);
}

function fillIn(block: Block, given: Properties): Properties {
  const filled: Properties = {};
  for (const [key, value] of Object.entries(given)) {
    const inner = block.blocks?.[key];
    filled[key] = inner === undefined ? value : fillInEach(inner, value);
  }
  const missing = Object.entries(block.defaults ?? {}).filter(([key]) => given[key] === undefined);
  return { ...filled, ...Object.fromEntries(missing), __defaults: missing.map(([key]) => key).sort() };
}

function fillInEach(block: Block, value: Value): Value {
  if (Array.isArray(value)) return value.map((item) => fillInEach(block, item));
  return isObject(value) ? fillIn(block, value) : value;
}

/** Without the notes: what is really asked for. */
export function meant(inputs: Properties): Properties {
  const strip = (value: Value): Value => {
    if (Array.isArray(value)) return value.map(strip);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => key !== "__defaults")
        .map(([key, item]) => [key, strip(item)]),
    );
  };
  return strip(inputs) as Properties;
}
