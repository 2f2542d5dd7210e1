// What the CLI asks of the plugins in the life of every resource that the stacks use: made, read, changed, replaced, failed, removed.

import { writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { docker } from "../things";
import type { Properties } from "../../properties";
import type { Created, Diffed, Plugin } from "./plugin";

const CONTAINER = "docker:index/container:Container";
const IMAGE = "docker:index/remoteImage:RemoteImage";
const NETWORK = "docker:index/network:Network";
const VOLUME = "docker:index/volume:Volume";
const PASSWORD = "random:index/randomPassword:RandomPassword";

/** Below those that a client's own end of a connection may have. */
export const PORT = 23_719;

const urnOf = (type: string): string => `urn:pulumi:dev::exchanges::${type}::thing`;

/** Answers by resource and by what was asked, in the order in which they came. */
export type Exchanges = Record<string, Record<string, unknown>>;

/** One resource under a plugin; notes what the plugin answers. */
class Life {
  readonly answers: Record<string, unknown> = {};
  private readonly urn: string;

  constructor(
    private readonly plugin: Plugin,
    type: string,
  ) {
    this.urn = urnOf(type);
  }

  private note<T>(what: string, answer: T): T {
    if (what in this.answers) throw new Error(`${what} was asked already`);
    this.answers[what] = answer;
    return answer;
  }

  async check(what: string, news: Properties, olds?: Properties): Promise<Properties> {
    return this.note(`check ${what}`, await this.plugin.check(this.urn, news, olds));
  }

  async create(what: string, inputs: Properties): Promise<Created> {
    const made = await this.plugin.create(this.urn, inputs);
    // The words of errors are each plugin's own.
    this.note(`create ${what}`, { ...made, ...(made.failed && { failed: made.failed.length > 0 }) });
    return made;
  }

  async fails(what: string, inputs: Properties): Promise<void> {
    const made = await this.plugin.create(this.urn, inputs).catch(() => undefined);
    this.note(`create ${what}`, made ?? "fails");
  }

  async diff(what: string, made: Created, olds: Properties, news: Properties): Promise<Diffed> {
    return this.note(`diff ${what}`, await this.plugin.diff(this.urn, made, olds, news));
  }

  async read(what: string, made: Created, inputs: Properties): Promise<Created> {
    return this.note(`read ${what}`, await this.plugin.read(this.urn, made, inputs));
  }

  /** As the CLI does it: only where the difference asks for it. */
  async update(what: string, made: Created, olds: Properties, news: Properties): Promise<Created> {
    const { changes, replaces } = await this.diff(`for the update ${what}`, made, olds, news);
    if (changes === "none" || replaces.length > 0) return made;
    return this.note(`update ${what}`, await this.plugin.update(this.urn, made, olds, news));
  }

  async delete(what: string, made: Created, inputs: Properties): Promise<void> {
    await this.plugin.delete(this.urn, made, inputs);
    this.note(`delete ${what}`, "done");
  }
}

/** Runs it with the Docker plugin on this machine's engine; every name begins with the prefix. `folder` gets the context of a build. */
export async function dockerExchanges(plugin: Plugin, prefix: string, folder: string): Promise<Exchanges> {
  const labels = [
    { label: "exchanges", value: prefix },
    { label: "workload", value: "thing" },
  ];
  const network = new Life(plugin, NETWORK);
  const wish = { name: `${prefix}-network`, driver: "bridge", labels };
  const networkInputs = await network.check("of a new one", wish);
  const net = await network.create("of a new one", networkInputs);
  await network.check("again", wish, networkInputs);
  await network.diff("without a change", net, networkInputs, networkInputs);
  const otherLabels = await network.check(
    "with another label",
    { ...wish, labels: labels.slice(1) },
    networkInputs,
  );
  await network.diff("with another label", net, networkInputs, otherLabels);
  const renamed = await network.check(
    "with another name",
    { ...wish, name: `${prefix}-other` },
    networkInputs,
  );
  await network.diff("with another name", net, networkInputs, renamed);
  await network.read("of what is there", net, networkInputs);
  await network.read("of an import", { id: net.id, outputs: {} }, {});

  const volume = new Life(plugin, VOLUME);
  const volumeWish = { name: `${prefix}-volume`, labels };
  const volumeInputs = await volume.check("of a new one", volumeWish);
  const vol = await volume.create("of a new one", volumeInputs);
  await volume.create("of one that is there", volumeInputs);
  await volume.diff("without a change", vol, volumeInputs, volumeInputs);
  const otherVolume = await volume.check("with another label", { ...volumeWish, labels: [] }, volumeInputs);
  await volume.diff("with another label", vol, volumeInputs, otherVolume);
  await volume.read("of what is there", vol, volumeInputs);
  await volume.read("of an import", { id: vol.id, outputs: {} }, {});

  const image = new Life(plugin, IMAGE);
  const context = join(folder, "context");
  mkdirSync(context, { recursive: true });
  writeFileSync(
    join(context, "Dockerfile"),
    'FROM debian:trixie-slim\nARG MARKER\nRUN test "$MARKER" != broken\n',
  );
  const imageWish = (marker: string) => ({
    name: `${prefix}-image:1`,
    build: { context, dockerfile: "Dockerfile", buildArgs: { MARKER: marker } },
    triggers: { content: marker },
    keepLocally: true,
  });
  const imageInputs = await image.check("of a new one", imageWish("1"));
  const made = await image.create("of a new one", imageInputs);
  await image.diff("without a change", made, imageInputs, imageInputs);
  const rebuilt = await image.check("with another content", imageWish("2"), imageInputs);
  await image.diff("with another content", made, imageInputs, rebuilt);
  await image.read("of what is there", made, imageInputs);
  await image.fails("of a build that fails", await image.check("of a build that fails", imageWish("broken")));

  const container = new Life(plugin, CONTAINER);
  const thing = (over: Properties = {}): Properties => ({
    name: `${prefix}-main`,
    hostname: `${prefix}-main`,
    image: `${prefix}-image:1`,
    command: ["sh", "-c", "touch /tmp/ready; exec sleep infinity"],
    user: "10001:10001",
    envs: ["A=1", "B=2"],
    networksAdvanced: [{ name: `${prefix}-network`, aliases: ["alias"] }],
    ports: [{ internal: 5432, external: PORT, ip: "127.0.0.1", protocol: "tcp" }],
    volumes: [{ containerPath: "/data", volumeName: `${prefix}-volume`, readOnly: false }],
    uploads: [{ file: "/etc/thing/plain", content: "plain\n", permissions: "0444" }],
    tmpfs: { "/tmp": "mode=1777" },
    shmSize: 128,
    memory: 64,
    memorySwap: 64,
    cpuShares: 512,
    cpuPeriod: 100_000,
    cpuQuota: 50_000,
    healthcheck: {
      tests: ["CMD", "test", "-f", "/tmp/ready"],
      interval: "1s",
      timeout: "2s",
      startPeriod: "3s",
      startInterval: "0s",
      retries: 2,
    },
    restart: "unless-stopped",
    stopSignal: "SIGTERM",
    stopTimeout: 2,
    destroyGraceSeconds: 1,
    sysctls: { "net.ipv4.tcp_syn_retries": "2" },
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges"],
    logDriver: "json-file",
    logOpts: { "max-file": "3", "max-size": "10m" },
    labels,
    ...over,
  });
  const inputs = await container.check("of a new one", thing());
  const main = await container.create("of a new one", inputs);
  await container.fails("of a name that is taken", { ...inputs, labels: [] });
  await container.check("again", thing(), inputs);
  await container.diff("without a change", main, inputs, inputs);
  const changes: Readonly<Record<string, Properties>> = {
    "of the environment": { envs: ["A=2"] },
    "of the image": { image: "debian:trixie-slim" },
    "of the command": { command: ["sleep", "infinity"] },
    "of a label": { labels: labels.slice(1) },
    "of a file": { uploads: [{ file: "/etc/thing/plain", content: "other\n", permissions: "0444" }] },
    "of the volumes": { volumes: [] },
    "of the network's alias": { networksAdvanced: [{ name: `${prefix}-network`, aliases: ["other"] }] },
    "of memory": { memory: 96, memorySwap: 96 },
    "of shares": { cpuShares: 256 },
    "of the restart": { restart: "no" },
    "of the grace": { destroyGraceSeconds: 2 },
    "of the health check": { healthcheck: { tests: ["CMD", "true"], interval: "5s" } },
    "of the quota": { cpuQuota: 20_000 },
    "of the memory for sharing": { shmSize: 64 },
  };
  for (const [what, change] of Object.entries(changes)) {
    const news = await container.check(what, thing(change), inputs);
    await container.diff(what, main, inputs, news);
  }
  await container.read("of what runs", main, inputs);
  const larger = await container.check("of more memory", thing({ memory: 96, memorySwap: 96 }), inputs);
  const grown = await container.update("of more memory", main, inputs, larger);
  docker("stop", "--time", "0", `${prefix}-main`);
  const stopped = await container.read("of one that was stopped", grown, larger);
  await container.update("of one that was stopped", stopped, larger, larger);
  await container.delete("of what runs", grown, larger);
  await container.read("of one that is gone", grown, larger);
  await container.delete("of one that is gone", grown, larger);

  const never = await container.check(
    "of one that is waited for",
    thing({ command: ["sleep", "infinity"], wait: true, waitTimeout: 4, ports: [] }),
  );
  const failed = await container.create("of one that does not become healthy", never);
  await container.read("of one that did not become healthy", failed, never);
  await container.diff("of one that did not become healthy", failed, never, never);
  await container.delete("of one that did not become healthy", failed, never);

  await image.delete("that is kept", made, imageInputs);
  await network.delete("of what is there", net, networkInputs);
  await network.read("of one that is gone", net, networkInputs);
  await volume.delete("of what is there", vol, volumeInputs);
  await volume.read("of one that is gone", vol, volumeInputs);
  return {
    network: network.answers,
    volume: volume.answers,
    image: image.answers,
    container: container.answers,
  };
}

export async function randomExchanges(plugin: Plugin): Promise<Exchanges> {
  const password = new Life(plugin, PASSWORD);
  const wish = { length: 32, special: false };
  const inputs = await password.check("of a new one", wish);
  const made = await password.create("of a new one", inputs);
  await password.check("again", wish, inputs);
  await password.diff("without a change", made, inputs, inputs);
  const longer = await password.check("of a longer one", { ...wish, length: 40 }, inputs);
  await password.diff("of a longer one", made, inputs, longer);
  await password.read("of what is there", made, inputs);
  await password.delete("of what is there", made, inputs);
  return { password: password.answers };
}
