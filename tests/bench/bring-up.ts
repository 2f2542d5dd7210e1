import * as path from "node:path";
import { imageTag } from "../../components/platforms/docker/image-build";
import { PORTS } from "../../config-files/ports";
import { PROJECT } from "../../commands/programs";
import { IMAGES } from "../../config-files/images";
import { docker } from "../support/stack";
import { writeBare } from "./bare";
import type { Bench } from "./bench";
import { run } from "./child";
import { type Figure, seconds, spread } from "./table";

const LONGEST_RATIO = 1.5;
const LONGEST_NO_CHANGE_SECONDS = 5;
const NO_CHANGE_RUNS = 3;

/** How long the stack takes from nothing, and where nothing is to be done. Leaves it up. */
export async function measureUp(bench: Bench): Promise<void> {
  await ensureImages(bench);
  await measureBringUp(bench, "up");
  await measureNoChange(bench);
}

/** `up` against the bare script, for the stack that the bench is set to. Leaves it up. */
export async function measureBringUp(bench: Bench, what: string): Promise<void> {
  const first = await upFromNothing(bench);
  const bare = await bareRuns(bench);
  const second = await upFromNothing(bench);
  await bench.measure(`${what} from nothing / bare script, best of 2`, () =>
    Promise.resolve(comparison(Math.min(first, second), spread(bare).min)),
  );
}

/** Between runs of `up`, so that a machine that gets slower or faster does so for both. */
async function bareRuns(bench: Bench): Promise<number[]> {
  const folder = path.join(bench.stack.folder, "bare");
  writeBare(folder, await bench.stack.export("--show-secrets"), [PORTS.write, PORTS.read]);
  return bareTwice(bench, folder);
}

function comparison(engine: number, bare: number): Figure {
  const ratio = engine / bare;
  return {
    figure: `${seconds(engine)} / ${seconds(bare)}`,
    ratio,
    goal: `<= ${LONGEST_RATIO}x`,
    met: ratio <= LONGEST_RATIO,
  };
}

/** The images' builds are no part of what is measured. */
async function ensureImages(bench: Bench): Promise<void> {
  const directory = path.join(PROJECT, "config-files");
  const tags = Object.entries(IMAGES).map(([key, source]) => imageTag(key, source, directory));
  const present = await Promise.all(
    tags.map((tag) =>
      docker("image", "inspect", "--format", "{{.Id}}", tag).then(
        () => true,
        () => false,
      ),
    ),
  );
  if (present.every(Boolean)) return;
  bench.say("building the images, which is not measured");
  await upFromNothing(bench);
}

/** Seconds of an `up` where there are images and nothing else. */
export async function upFromNothing(bench: Bench): Promise<number> {
  await bench.sweep();
  await bench.prepare();
  bench.say("up from nothing");
  const { output, seconds: taken } = await bench.invoke("up", "--yes");
  bench.say(`up took ${seconds(taken)}; longest: ${slowest(output).join(", ")}`);
  return taken;
}

/** Where the time of an `up` went: steps that took longest, as the engine printed them. */
function slowest(output: string): string[] {
  return [...output.matchAll(/ (\S+) created \((\d+\.\d+)s\)/g)]
    .map(([, name = "", taken]) => ({ name, taken: Number(taken) }))
    .sort((a, b) => b.taken - a.taken)
    .slice(0, 4)
    .map(({ name, taken }) => `${name} ${seconds(taken)}`);
}

/** Without the yardstick there is no ratio, and the engine's own figures are still worth having. */
async function bareTwice(bench: Bench, folder: string): Promise<number[]> {
  try {
    return [await bareFromNothing(bench, folder), await bareFromNothing(bench, folder)];
  } catch (error) {
    bench.say(`the bare script FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/** Seconds of the bare script. The volumes with secrets and configuration stay: it does not make them. */
async function bareFromNothing(bench: Bench, folder: string): Promise<number> {
  const { stack } = bench;
  await docker("rm", "--force", ...(await stack.containers()));
  const volumes = await docker("volume", "ls", "--format", "{{.Name}}", "--filter", `name=${stack.cluster}-`);
  await docker("volume", "rm", ...volumes.split("\n").filter((name) => name.endsWith("-data")));
  await docker("network", "rm", stack.cluster);
  bench.say("bare script: the same containers");
  const { seconds: taken } = await run("bash", [path.join(__dirname, "bare.sh"), folder], {
    onLine: (line) => bench.say(`    ${line}`),
  });
  bench.say(`bare script: ${seconds(taken)}`);
  return taken;
}

/** A preview and an `up` that find nothing to do. */
async function measureNoChange(bench: Bench): Promise<void> {
  const verbs: Readonly<Record<string, readonly string[]>> = {
    preview: ["preview"],
    up: ["up", "--yes"],
    // What `make up` runs: it also looks at everything that is there.
    "up --refresh": ["up", "--yes", "--refresh"],
  };
  for (const [name, verb] of Object.entries(verbs)) {
    await bench.measure(`${name} without a change, median of ${NO_CHANGE_RUNS}`, async () => {
      const taken: number[] = [];
      for (let i = 0; i < NO_CHANGE_RUNS; i++) {
        taken.push((await bench.invoke(...verb, "--expect-no-changes")).seconds);
      }
      const { median } = spread(taken);
      return {
        figure: seconds(median),
        goal: `<= ${LONGEST_NO_CHANGE_SECONDS} s`,
        met: median <= LONGEST_NO_CHANGE_SECONDS,
      };
    });
  }
}
