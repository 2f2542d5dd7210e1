// What docker provider 5.2.0 stored for these resources, and what Docker said of them (recorded from a real run):
// a state of this engine can be taken over by it only if both agree to the last empty list.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import type { Properties, Value } from "../properties";
import { containerOutputs, goDuration } from "../docker/container-outputs";
import { createRequest, nanoseconds } from "../docker/container-request";
import {
  CONTAINER,
  meant,
  NETWORK,
  REMOTE_IMAGE,
  type Schema,
  VOLUME,
  withDefaults,
} from "../docker/defaults";
import { imageOutputs } from "../docker/image";
import { networkOutputs } from "../docker/network";
import { volumeOutputs } from "../docker/volume";

type Kind = "container" | "one-shot" | "network" | "volume" | "image";

const recorded = JSON.parse(
  readFileSync(join(__dirname, "fixtures", "docker-provider.json"), "utf8"),
) as Record<Kind, { found: unknown; inputs: Properties; outputs: Properties }>;

const schemas: Record<Kind, Schema> = {
  container: CONTAINER,
  "one-shot": CONTAINER,
  network: NETWORK,
  volume: VOLUME,
  image: REMOTE_IMAGE,
};

/** What the program gave: without what `__defaults` says was added. */
function given(value: Value): Value {
  if (Array.isArray(value)) return value.map(given);
  if (typeof value !== "object" || value === null) return value;
  const added = Array.isArray(value.__defaults) ? value.__defaults : [];
  const entries = Object.entries(value).filter(([key]) => key !== "__defaults" && !added.includes(key));
  return Object.fromEntries(entries.map(([key, item]) => [key, given(item)]));
}

test.each(Object.keys(recorded) as Kind[])(
  "the inputs of a %s get the provider's defaults, and notes on them",
  (kind) => {
    const inputs = recorded[kind].inputs;
    expect(withDefaults(schemas[kind], "name", given(inputs) as Properties, undefined)).toEqual(inputs);
  },
);

test.each(["container", "one-shot"] as const)("a %s has the provider's outputs", (kind) => {
  const { found, inputs, outputs } = recorded[kind];
  const logs = kind === "one-shot" ? "bye\n" : undefined;
  const made = containerOutputs(found as Docker.ContainerInspectInfo, meant(inputs), logs);
  expect(inOrder(made)).toEqual(inOrder(outputs));
});

/** The provider keeps uploads as a set, in an order of its own. */
function inOrder(outputs: Properties): Properties {
  const uploads = outputs.uploads as { file: string }[];
  return { ...outputs, uploads: [...uploads].sort((left, right) => left.file.localeCompare(right.file)) };
}

test("an image, a network and a volume have the provider's outputs", () => {
  const { image, network, volume } = recorded;
  const imageInputs = meant(image.inputs);
  expect(imageOutputs(image.found as Docker.ImageInspectInfo, imageInputs)).toEqual(image.outputs);
  expect(networkOutputs(network.found as Docker.NetworkInspectInfo)).toEqual(network.outputs);
  expect(volumeOutputs(volume.found as Docker.VolumeInspectInfo)).toEqual(volume.outputs);
});

test("a name that was chosen stays, and one that the program gives is taken", () => {
  const first = withDefaults(VOLUME, "data", {}, undefined);
  expect(first).toMatchObject({ name: expect.stringMatching(/^data-[0-9a-f]{7}$/), __defaults: ["name"] });
  expect(withDefaults(VOLUME, "data", {}, first)).toEqual(first);
  expect(withDefaults(VOLUME, "data", { name: "mine" }, first)).toEqual({ name: "mine", __defaults: [] });
});

test.each([
  ["90s", 90e9, "1m30s"],
  ["1h0m0.5s", 3600.5e9, "1h0m0.5s"],
  ["250ms", 250e6, "250ms"],
  ["0s", 0, "0s"],
])("the duration %s is read, and written as Go writes it", (text, amount, canonical) => {
  expect(nanoseconds(text)).toBe(amount);
  expect(goDuration(amount)).toBe(canonical);
});

test("a request says everything that the inputs say", () => {
  const inputs = meant(recorded.container.inputs);
  expect(createRequest(inputs)).toMatchObject({
    name: "ds-c",
    Env: ["A=1", "B=2"],
    Healthcheck: { Test: ["CMD", "/hello", "health"], Interval: 1e9, Timeout: 2e9, Retries: 3 },
    StopTimeout: 5,
    HostConfig: {
      Binds: ["ds-vol:/data:rw"],
      CapDrop: ["CAP_NET_RAW"],
      ExtraHosts: ["foo:10.0.0.1"],
      Init: true,
      LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
      Memory: 64 * 1024 * 1024,
      MemorySwap: 64 * 1024 * 1024,
      Mounts: [{ Type: "volume", Source: "ds-vol", Target: "/m", ReadOnly: true }],
      NetworkMode: "bridge",
      PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "18080" }] },
      RestartPolicy: { Name: "unless-stopped" },
      SecurityOpt: ["no-new-privileges:true"],
      ShmSize: 32 * 1024 * 1024,
      Tmpfs: { "/run": "size=1m" },
      Ulimits: [{ Name: "nofile", Soft: 1024, Hard: 2048 }],
    },
  });
});
