import { parse } from "yaml";
import { describeProblem } from "../../../components/settings/problems";
import { dev } from "../../../stacks/dev";
import { problemsOf } from "../../../stacks/preflight";
import { readSettings } from "../../../stacks/settings";

/** What is said of settings as somebody writes them into Pulumi.<stack>.yaml. */
function read(text: string) {
  const written = parse(text) as Record<string, unknown>;
  const config = Object.fromEntries(
    Object.entries(written).map(([key, value]) => [
      `postgres-cluster:${key}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
  const { settings, problems } = readSettings(config, "postgres-cluster", "dev");
  return { settings, problems: problems.map(describeProblem) };
}

describe("what YAML makes of a value is accepted where it is clear, or refused clearly (F6)", () => {
  test.each([
    ["a version without quotes", "patroni: { postgresVersion: 17 }", { patroni: { postgresVersion: 17 } }],
    ["and with them", 'patroni: { postgresVersion: "17" }', { patroni: { postgresVersion: "17" } }],
    ["a name of digits", 'cluster: "123"', { cluster: "123" }],
    ["a namespace like a number", 'namespace: "1e3"', { namespace: "1e3" }],
  ])("%s", (_, text, expected) => {
    expect(read(text)).toMatchObject({ problems: [], settings: expected });
  });

  test("the version is taken either way", async () => {
    const nothing = { ...dev, problems: () => Promise.resolve([]) };
    for (const version of ["17", '"17"']) {
      const { settings } = read(`patroni: { postgresVersion: ${version} }`);
      expect(await problemsOf(settings, nothing, false)).toEqual([]);
    }
    const { settings } = read("patroni: { postgresVersion: 16 }");
    expect((await problemsOf(settings, nothing, false)).map(describeProblem)).toEqual([
      "patroni.postgresVersion = 16: is not supported: the image holds PostgreSQL 17. Use 17.",
    ]);
  });

  test.each([
    [
      "images: { tags: { patroni: 1.10 } }",
      "images.tags.patroni = 1.1: must be text, but is a number. Put it in quotes: YAML reads 1.10 as the number 1.1, without the zero.",
    ],
    ["images: { citusVersion: 14.0 }", "images.citusVersion = 14: must be text, but is a number."],
    [
      "patroni: { memory: 1024 }",
      "patroni.memory = 1024: must be a whole number with the unit Mi, Gi or Ti, such as 512Mi.",
    ],
    ["proxy: { maximumLag: 16 }", "proxy.maximumLag = 16: must be a whole number with the unit Mi, Gi or Ti"],
    ["proxy: { cpu: true }", "proxy.cpu = true: must be a number of cores with at most three decimals"],
    ['proxy: { entries: "2" }', 'proxy.entries = "2": must be a whole number. Write 2 without quotes.'],
    ["proxy: { entries: 1.5 }", "proxy.entries = 1.5: must be a whole number."],
    ["proxy: { names: [10.5] }", "proxy.names[0] = 10.5: must be text, but is a number."],
    ["proxy: { names: db.example.com }", 'proxy.names = "db.example.com": must be a list.'],
    ["patroni: { database: 1 }", "patroni.database = 1: must be text, but is a number."],
    ["patroni: { memory: }", "patroni.memory = null: has no value."],
    ["patroni:", "patroni = null: has no value."],
    ["patroni: 3", "patroni = 3: must be a section with settings (members, postgresVersion, "],
    ["patroni: { parameters: on }", 'patroni.parameters = "on": must be a map of names and values.'],
    ['workers: { rebalance: "yes" }', 'workers.rebalance = "yes": must be true or false.'],
    ["citus: false", 'citus = false: must be one of auto, required, off. Write "off", in quotes.'],
    [
      "kubernetes: { exposeAnnotations: { internal: true } }",
      "kubernetes.exposeAnnotations.internal = true: must be text, but is a boolean.",
    ],
    [
      "workers: { groups: [{ group: 1 }, { group: 2, membres: 3 }] }",
      "workers.groups[1].membres = 3: is not a setting. Write workers.groups[1].members if you meant that.",
    ],
    ["workers: { groups: [{ members: 2 }] }", "workers.groups[0].group = undefined: must be a whole number."],
    [
      "workers: { groups: [{ group: 1, memory: 5 }] }",
      "workers.groups[0].memory = 5: must be a whole number with the unit",
    ],
    ["workers: { external: [{ group: 1, host: 7 }] }", "workers.external[0].host = 7: must be text"],
  ])("%s", (text, message) => {
    expect(read(text).problems).toEqual([expect.stringContaining(message)]);
  });

  test("what is right beside an entry of a list that is not is kept", () => {
    const { settings } = read("workers: { members: 3, groups: [{ members: 2 }] }\nproxy: { entries: 2 }");
    expect(settings).toMatchObject({ workers: { members: 3 }, proxy: { entries: 2 } });
  });
});
