import { renderDocker, replacementDigest } from "../../../components/platforms/docker/render";
import type { WorkloadSpec } from "../../../components/platforms/workload";
import { expectGolden } from "../../support/golden";
import { DOCKER as CONTEXT } from "./contexts";
import { DATABASE, ENTRY } from "./workloads";

const member = (spec: WorkloadSpec = DATABASE, ordinal = 0) => renderDocker(spec, CONTEXT).members[ordinal]!;
const container = (spec?: WorkloadSpec, ordinal?: number) => member(spec, ordinal).container;

describe("a workload on Docker", () => {
  test.each([DATABASE, ENTRY])("$name reads as its golden", (spec) => {
    expectGolden(
      `platform/docker/${spec.name}.json`,
      `${JSON.stringify(renderDocker(spec, CONTEXT), null, 2)}\n`,
    );
  });

  test("has one container a replica, with the variables of that replica", () => {
    expect(renderDocker(DATABASE, CONTEXT).members.map((m) => [m.name, m.container.command])).toEqual([
      ["pg-dev-database-0", ["start", "--name", "pg-dev-database-0"]],
      ["pg-dev-database-1", ["start", "--name", "pg-dev-database-1"]],
    ]);
    expect(container(DATABASE, 1).envs).toContain("PRICE=5 $ 1");
  });

  test("is the same whatever the order in which its description was written", () => {
    const turned = Object.fromEntries(Object.entries(DATABASE).reverse()) as unknown as WorkloadSpec;
    const written = {
      ...turned,
      env: Object.fromEntries(Object.entries(DATABASE.env!).reverse()),
      ports: Object.fromEntries(Object.entries(DATABASE.ports).reverse()),
      secrets: Object.fromEntries(Object.entries(DATABASE.secrets!).reverse()),
      scratch: [...DATABASE.scratch!].reverse(),
    };
    expect(renderDocker(written, CONTEXT)).toEqual(renderDocker(DATABASE, CONTEXT));
  });
});

describe("traps of the Docker provider", () => {
  test("memory without memorySwap would be an update in every preview", () => {
    expect(container()).toMatchObject({ memory: 512, memorySwap: 512 });
    expect(container(ENTRY)).not.toHaveProperty("memorySwap");
  });

  test("durations that are not in Go's form would differ for ever", () => {
    expect(container(ENTRY).healthcheck).toMatchObject({
      interval: "1m0s",
      timeout: "1s",
      startPeriod: "0s",
      startInterval: "0s",
    });
  });

  test("every field of the health check is set: what the engine fills in would be a difference", () => {
    expect(Object.keys(container().healthcheck!).sort()).toEqual([
      ...["interval", "retries", "startInterval", "startPeriod", "tests", "timeout"],
    ]);
  });

  test("capabilities are in the engine's own form: ALL has no prefix, and none is added", () => {
    expect(container().capabilities).toEqual({ drops: ["ALL"] });
  });

  test("what the provider says it updates and does not takes a new container", () => {
    expect(member().containerOptions.replaceOnChanges).toEqual(
      expect.arrayContaining(["healthcheck", "init", "tmpfs", "cpuQuota"]),
    );
  });

  test("a fixed name and published ports need the old container gone first", () => {
    expect(member().containerOptions.deleteBeforeReplace).toBe(true);
  });

  test("without destroyGraceSeconds a container is killed when it is replaced", () => {
    expect(container()).toMatchObject({ destroyGraceSeconds: 60, stopTimeout: 60, stopSignal: "SIGTERM" });
  });

  test("`wait` fails late and says nothing, so it is not used", () => {
    expect(container()).not.toHaveProperty("wait");
  });

  test("ports are in the order in which the engine gives them back, and on loopback only", () => {
    const spec = {
      ...ENTRY,
      ports: { a: { port: 9, from: "anybody" as const }, b: { port: 8, from: "anybody" as const } },
      exposed: { hostPorts: { a: 1, b: 2 }, replicaStep: 10 },
    };
    expect(container(spec, 1).ports).toEqual([
      { internal: 8, external: 12, ip: "127.0.0.1", protocol: "tcp" },
      { internal: 9, external: 11, ip: "127.0.0.1", protocol: "tcp" },
    ]);
  });

  test("an upload without content is refused by the provider after the old container is gone", () => {
    const spec: WorkloadSpec = {
      ...DATABASE,
      configuration: { "/etc/x": { files: { empty: "" }, onChange: "replace" } },
    };
    expect(() => renderDocker(spec, CONTEXT)).toThrow(
      "database.configuration[/etc/x].files[empty]: is empty",
    );
  });

  test("logs are rotated: by default they fill the disk", () => {
    expect(container()).toMatchObject({
      logDriver: "json-file",
      logOpts: { "max-file": "3", "max-size": "10m" },
    });
  });
});

describe("a container", () => {
  test("comes back by itself, but not after an operator has stopped it", () => {
    expect(container().restart).toBe("unless-stopped");
  });

  test("runs as the programs' user without any privilege", () => {
    expect(container()).toMatchObject({ user: "10001:10001", securityOpts: ["no-new-privileges"] });
  });

  test("mounts secrets and reloaded files read-only, data read-write", () => {
    expect(container().volumes).toEqual([
      { containerPath: "/var/lib/postgresql", volumeName: "pg-dev-database-0-data", readOnly: false },
      { containerPath: "/secrets/patroni", volumeName: "pg-dev-secret-patroni", readOnly: true },
      { containerPath: "/secrets/tls", volumeName: "pg-dev-secret-database-tls", readOnly: true },
      {
        containerPath: "/etc/patroni-bootstrap",
        volumeName: "pg-dev-database-files-etc-patroni-bootstrap",
        readOnly: true,
      },
    ]);
  });
});

describe("the digest that starts a rolling update", () => {
  const digest = (spec: WorkloadSpec) => member(spec).digest;
  const file = (text: string, onChange: "replace" | "reload"): WorkloadSpec => ({
    ...DATABASE,
    configuration: { "/etc/x": { files: { f: text }, onChange } },
  });

  test("changes with a file that replaces", () => {
    expect(digest(file("a", "replace"))).not.toBe(digest(file("b", "replace")));
  });
  test("does not change with a file that reloads", () => {
    expect(digest(file("a", "reload"))).toBe(digest(file("b", "reload")));
  });
  test("changes with the image", () => {
    expect(renderDocker(DATABASE, { ...CONTEXT, image: "other:1" }).members[0]!.digest).not.toBe(
      digest(DATABASE),
    );
  });
  test("does not change with what the engine changes in a running container", () => {
    const { memoryMiB, ...rest } = DATABASE.resources!;
    expect(digest({ ...DATABASE, resources: { ...rest, memoryMiB: memoryMiB! * 2, cpuMillis: 1000 } })).toBe(
      digest(DATABASE),
    );
    expect(replacementDigest({ image: "a", restart: "no" })).toBe(
      replacementDigest({ image: "a", restart: "always" }),
    );
  });
});
