import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { meaning, normal } from "./exchanges/normal";
import { Plugin } from "./exchanges/plugin";
import { dockerExchanges, type Exchanges, randomExchanges } from "./exchanges/scenario";
import { docker } from "./things";

/**
 * What the vendor's plugins answered: docker at 237b7899, three weeks before 5.2.0, and random at f64d8726, after 4.21.1.
 * VENDOR=<folder with them> records it anew.
 */
const RECORDED = join(__dirname, "fixtures/exchanges.json");
const OURS = join(__dirname, "../bin");

/** Where ours answer something else on purpose. */
const APART: Readonly<Record<string, string>> = {
  "network: read of an import":
    "addresses that Docker has chosen are no inputs, or no program without them could import a network",
  "container: diff of the health check": "the vendor's reports an update and changes nothing: it is replaced",
  "container: diff of the quota": "the same",
  "container: read of one that was stopped":
    "the vendor's takes what is there into the inputs, ours into the outputs",
  "container: diff for the update of one that was stopped":
    "the vendor's sees no ports and replaces it; ours starts it again",
  "container: update of one that was stopped": "the same",
  "container: create of one that does not become healthy":
    "ours records what is there, and that the wait was in vain",
  "container: read of one that did not become healthy": "the same",
  "container: diff of one that did not become healthy":
    "both replace it: the vendor's for what it did not record",
};

const vendor = process.env["VENDOR"];

async function asked(bin: string): Promise<Exchanges> {
  const folder = mkdtempSync(join(tmpdir(), "exchanges-"));
  const prefix = `exchanges-${process.pid}`;
  const plugins = await Promise.all([
    Plugin.start(join(bin, "pulumi-resource-docker")),
    Plugin.start(join(bin, "pulumi-resource-random")),
  ]);
  try {
    const [ofDocker, ofRandom] = plugins;
    const found = {
      ...(await dockerExchanges(ofDocker, prefix, folder)),
      ...(await randomExchanges(ofRandom)),
    };
    return normal(found, { [prefix]: "<prefix>", [folder]: "<folder>" });
  } finally {
    await Promise.all(plugins.map((plugin) => plugin.stop()));
    rmSync(folder, { recursive: true });
    sweep(prefix);
  }
}

function sweep(prefix: string): void {
  const ids = (...list: string[]): string[] =>
    docker(...list)
      .split("\n")
      .filter(Boolean);
  for (const id of ids("ps", "--all", "--quiet", "--filter", `name=^${prefix}-`)) docker("rm", "--force", id);
  for (const id of ids("network", "ls", "--quiet", "--filter", `name=${prefix}-`))
    docker("network", "rm", id);
  for (const name of ids("images", "--format", "{{.Repository}}:{{.Tag}}", `${prefix}-image`))
    docker("rmi", name);
  for (const id of ids("volume", "ls", "--quiet", "--filter", `name=${prefix}-`)) docker("volume", "rm", id);
}

if (vendor !== undefined)
  test("record what the vendor's plugins answer", async () => {
    writeFileSync(RECORDED, `${JSON.stringify(await asked(vendor), undefined, 1)}\n`);
  });

describe("our plugins answer as the vendor's did (C1)", () => {
  const recorded = JSON.parse(readFileSync(RECORDED, "utf8")) as Exchanges;
  let answers: Exchanges;
  beforeAll(async () => {
    answers = await asked(OURS);
  });

  /** By resource and question. */
  const flat = (exchanges: Exchanges): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(exchanges).flatMap(([resource, each]) =>
        Object.entries(each).map(([question, answer]) => [`${resource}: ${question}`, meaning(answer)]),
      ),
    );
  const theirs = flat(recorded);
  const alike = Object.keys(theirs).filter((question) => !(question in APART));

  test.each(alike)("%s", (question) => {
    expect(flat(answers)[question]).toEqual(theirs[question]);
  });

  test.each(Object.entries(APART))("%s: another answer, since %s", (question) => {
    expect(flat(answers)[question]).toBeDefined();
    expect(flat(answers)[question]).not.toEqual(theirs[question]);
  });

  test("a container that did not become healthy is replaced by both", () => {
    const question = "container: diff of one that did not become healthy";
    for (const of of [flat(answers), theirs])
      expect((of[question] as { replaces: string[] }).replaces).not.toEqual([]);
  });
});
