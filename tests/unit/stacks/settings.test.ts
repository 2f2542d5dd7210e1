import { refuse } from "../../../components/settings/problems";
import { readSettings, withDefaults } from "../../../stacks/settings";

describe("stack settings", () => {
  const readAll = (settings: Record<string, unknown>, stack = "dev") =>
    readSettings(
      Object.fromEntries(
        Object.entries(settings).map(([key, value]) => [
          `postgres-cluster:${key}`,
          typeof value === "string" ? value : JSON.stringify(value),
        ]),
      ),
      "postgres-cluster",
      stack,
    );
  const read = (settings: Record<string, unknown>, stack = "dev") => {
    const { settings: value, problems } = readAll(settings, stack);
    refuse("settings", problems);
    return value;
  };

  test("an empty file is a complete one, named after the stack", () => {
    expect(read({})).toEqual({ environment: "dev", cluster: "pg-dev" });
  });

  test("a password of the wrong form is not repeated (one owner)", () => {
    const { problems } = readAll({ adopt: { cluster: "pg", passwords: { app_readwrite: 123456 } } });
    expect(problems).toEqual([
      expect.objectContaining({ setting: "adopt.passwords.app_readwrite", value: "(a secret)" }),
    ]);
    expect(JSON.stringify(problems)).not.toContain("123456");
  });

  test("an unknown key is refused with the nearest right one (F6)", () => {
    expect(() => read({ etdc: { members: 3 } })).toThrow(
      'etdc = {"members":3}: is not a setting. Write etcd if you meant that.',
    );
    expect(() => read({ patroni: { timing: { ttlSecond: 30 } } })).toThrow(
      "patroni.timing.ttlSecond = 30: is not a setting. Write patroni.timing.ttlSeconds if you meant that.",
    );
  });

  test("a key that is like no other is refused with the known ones", () => {
    expect(() => read({ proxy: { zzzzzzzz: 1 } })).toThrow(
      /proxy\.zzzzzzzz = 1: is not a setting\. Use one of entries, writePools/,
    );
  });

  test("all problems are told at once", () => {
    const attempt = () => read({ etcd: { members: "three" }, nonsense: true, cluster: "Not_A_Label" });
    expect(attempt).toThrow(/3 problems, nothing was changed/);
    expect(attempt).toThrow(/etcd\.members = "three"/);
    expect(attempt).toThrow(/nonsense = true/);
    expect(attempt).toThrow(/cluster = "Not_A_Label": must be a DNS label/);
  });

  test("what is right beside something wrong is kept, so that it can be checked in the same run", () => {
    const { settings, problems } = readAll({
      etcd: { members: 4, quota: 7 },
      patroni: { nonsense: 1, members: 9 },
    });
    expect(settings).toMatchObject({ etcd: { members: 4 }, patroni: { members: 9 } });
    expect(problems.map((problem) => problem.setting)).toEqual(["etcd.quota", "patroni.nonsense"]);
  });

  test("a cluster name that would make a derived name too long is refused", () => {
    expect(() => read({ cluster: "a".repeat(31) })).toThrow(/at most 30 characters/);
    expect(read({ cluster: "a".repeat(30) }).cluster).toHaveLength(30);
  });

  test("a stack whose name tells no environment must say which it is", () => {
    expect(() => read({}, "staging")).toThrow(/environment = undefined: must be dev or prod/);
    expect(read({ environment: "prod" }, "staging")).toMatchObject({
      environment: "prod",
      cluster: "pg-staging",
    });
  });

  test("keys of other projects are none of our business", () => {
    expect(readSettings({ "docker:host": "tcp://x" }, "postgres-cluster", "dev").settings.cluster).toBe(
      "pg-dev",
    );
  });

  test("what the stack says wins over the environment's defaults, key by key", () => {
    const settings = withDefaults(
      { environment: "dev", cluster: "pg-dev", patroni: { members: 5 } },
      { patroni: { members: 3, memory: "1Gi" }, etcd: { members: 3 } },
    );
    expect(settings).toMatchObject({ patroni: { members: 5, memory: "1Gi" }, etcd: { members: 3 } });
  });
});
