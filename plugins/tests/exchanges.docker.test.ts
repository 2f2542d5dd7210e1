import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { normal } from "./exchanges/normal";
import { Plugin } from "./exchanges/plugin";
import { dockerExchanges, type Exchanges, randomExchanges } from "./exchanges/scenario";
import { docker } from "./things";

/** What the vendor's plugins answered: docker 5.2.0 and random 4.21.2. VENDOR=<folder with them> records it anew. */
const RECORDED = join(__dirname, "fixtures/exchanges.json");
const OURS = join(__dirname, "../bin");

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

  const questions = Object.entries(recorded).flatMap(([resource, each]) =>
    Object.keys(each).map((question) => [resource, question] as const),
  );
  test.each(questions)("%s: %s", (resource, question) => {
    expect(answers[resource]?.[question]).toEqual(recorded[resource]?.[question]);
  });
});
