// What the file $CONTAINERS asks for; every name begins with its prefix, so that tests do not meet.

import * as fs from "node:fs";
import * as path from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

interface Wish {
  readonly prefix: string;
  readonly subnet: string;
  /** Of the build: "broken" makes it fail. */
  readonly marker?: string;
  /** Over the arguments of the main container. */
  readonly container?: Partial<docker.ContainerArgs>;
  readonly secret?: string;
  readonly once?: boolean;
  /** Of the network and the containers. */
  readonly labels?: { readonly label: string; readonly value: string }[];
  /** Id of a network that is there already. */
  readonly importNetwork?: string;
}

const {
  prefix,
  subnet,
  marker = "1",
  container,
  secret = "none-given",
  once,
  labels,
  importNetwork,
} = JSON.parse(fs.readFileSync(process.env.CONTAINERS ?? "", "utf8")) as Wish;

const network =
  importNetwork === undefined
    ? new docker.Network("network", { name: `${prefix}-network`, ipamConfigs: [{ subnet }], labels })
    : new docker.Network(
        "network",
        { name: `${prefix}-network`, driver: "bridge", labels: [{ label: "whose", value: "mine" }] },
        { import: importNetwork },
      );
const volume = new docker.Volume("volume", { name: `${prefix}-volume` });
const image = new docker.RemoteImage("image", {
  name: `${prefix}-image:1`,
  build: { context: path.join(__dirname, "context"), buildArgs: { MARKER: marker } },
  triggers: { marker },
  keepLocally: true,
});

const main = new docker.Container(
  "main",
  {
    name: `${prefix}-main`,
    image: image.imageId,
    command: ["sh", "-c", "echo started; touch /tmp/ready; exec sleep infinity"],
    networksAdvanced: [{ name: network.name, aliases: ["main-alias"] }],
    volumes: [{ volumeName: volume.name, containerPath: "/data" }],
    uploads: [
      { file: "/etc/secret", content: pulumi.secret(secret), permissions: "0400" },
      { file: "/etc/plain", content: "plain\n" },
    ],
    healthcheck: { tests: ["CMD", "test", "-f", "/tmp/ready"], interval: "1s", timeout: "2s", retries: 2 },
    wait: true,
    waitTimeout: 30,
    memory: 64,
    memorySwap: 64,
    restart: "unless-stopped",
    destroyGraceSeconds: 0,
    labels,
    ...container,
  },
  { deleteBeforeReplace: true },
);

const oneShot =
  once === true
    ? new docker.Container("once", {
        name: `${prefix}-once`,
        image: image.imageId,
        command: ["sh", "-c", "echo done; exit 3"],
        mustRun: false,
        attach: true,
        logs: true,
      })
    : undefined;

export const address = main.networkDatas.apply((datas) => datas[0]?.ipAddress);
export const exitCode = oneShot?.exitCode;
export const logs = oneShot?.containerLogs;
