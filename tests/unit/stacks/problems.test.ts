import { IMAGES } from "../../../config-files/images";
import { dev } from "../../../stacks/dev";
import { problemsOf } from "../../../stacks/preflight";
import { prod } from "../../../stacks/prod";
import { settingsOf } from "../../support/specs";

describe("problems are told before any resource exists (F6)", () => {
  test("the shipped stacks have none but what their owner must fill in", async () => {
    expect(
      await problemsOf(settingsOf("dev"), { ...dev, problems: async () => Promise.resolve([]) }, true),
    ).toEqual([]);
    const written = {
      images: {
        registry: "registry.test",
        tags: Object.fromEntries(Object.keys(IMAGES).map((n) => [n, "1"])),
      },
    };
    expect(await problemsOf(settingsOf("prod", written), prod, true)).toEqual([]);
  });

  test("all of them at once, whichever component finds them", async () => {
    const written = {
      etcd: { members: 4 },
      patroni: {
        members: 8,
        timing: { ttlSeconds: 10 },
        synchronous: "strict",
        parameters: { fsync: "off", shared_bufers: "1GB", work_mem: "lots" },
      },
      proxy: { ports: { write: 6432, read: 6432 } },
      certificates: { days: 1000 },
      images: { tags: { patroni: "latest" }, postgresPackages: ["postgresql-17-cron"] },
    };
    const settings = (await problemsOf(settingsOf("prod", written), prod, true)).map(
      (problem) => problem.setting,
    );
    for (const setting of [
      "etcd.members",
      "patroni.members",
      "patroni.timing.ttlSeconds",
      "patroni.parameters.fsync",
      "patroni.parameters.shared_bufers",
      "patroni.parameters.work_mem",
      "proxy.ports.read",
      "certificates.days",
      "images.registry",
      "images.tags.patroni",
      "images.postgresPackages",
    ]) {
      expect(settings).toContain(setting);
    }
  });

  test("each is told once, by the place where its value stands", async () => {
    const written = {
      patroni: { parameters: { "citus.local_hostname": "x", JIT: "sometimes" }, timing: { ttlSeconds: 10 } },
      coordinator: { parameters: { work_mem: "lots" } },
      workers: {
        memory: "512Mi",
        parameters: { temp_buffers: "1GB" },
        groups: [{ group: 1 }, { group: 2, parameters: { max_connections: 30 } }],
      },
    };
    const nothing = { ...dev, problems: () => Promise.resolve([]) };
    const problems = await problemsOf(settingsOf("dev", written), nothing, true);
    expect(problems.map(({ setting }) => setting).sort()).toEqual([
      "coordinator.parameters.work_mem",
      "patroni.parameters.citus.local_hostname",
      "patroni.parameters.jit",
      "patroni.timing.ttlSeconds",
      "workers.groups[1].parameters.max_connections",
      "workers.parameters.temp_buffers",
    ]);
  });

  test("a group's own memory is named, not that of all, and no default is said to be the user's", async () => {
    const written = {
      patroni: { parameters: { work_mem: "700MB" } },
      coordinator: { memory: "512Mi" },
      workers: { groups: 1 },
    };
    const nothing = { ...dev, problems: () => Promise.resolve([]) };
    const problems = await problemsOf(settingsOf("dev", written), nothing, true);
    expect(problems.map(({ setting, remedy }) => ({ setting, remedy }))).toEqual([
      { setting: "patroni.parameters.work_mem", remedy: "Lower it, or raise coordinator.memory" },
    ]);
    // 2Gi is what prod once set for shared_buffers whatever the memory.
    const images = { registry: "r", tags: Object.fromEntries(Object.keys(IMAGES).map((n) => [n, "1"])) };
    const small = settingsOf("prod", {
      patroni: { memory: "2Gi" },
      images,
      proxy: { writePools: 1, readPools: 1 },
    });
    expect(await problemsOf(small, prod, true)).toEqual([]);
  });

  test("a package's name is no way to add words to the build's commands", async () => {
    const written = { images: { postgresPackages: ["postgresql-17-cron", "x; rm -rf /"] } };
    const problems = await dev.problems(settingsOf("dev", written), { ports: [], workerGroups: [] });
    expect(problems.map(({ setting, value }) => ({ setting, value }))).toEqual([
      { setting: "images.postgresPackages[1]", value: "x; rm -rf /" },
    ]);
  });

  test("one etcd member is a trial's only, with a word about it", async () => {
    const problems = await problemsOf(settingsOf("prod", { etcd: { members: 1 } }), prod, true);
    expect(problems.map((problem) => problem.setting)).toContain("etcd.members");
  });
});
