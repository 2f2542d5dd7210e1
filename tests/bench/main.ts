import * as os from "node:os";
import { Bench } from "./bench";
import { measureUp, upFromNothing } from "./bring-up";
import { stopChildren } from "./child";
import { measureGaps } from "./gaps";
import { measureDistributed } from "./distributed";
import { measureKubernetes } from "./kubernetes";
import { formatTable } from "./table";
import { measureThroughput } from "./throughput";

const PARTS = ["up", "gaps", "throughput", "distributed", "kubernetes"] as const;
type Part = (typeof PARTS)[number];

const USAGE = `usage: bench [${PARTS.join("|")}]...

Measures a stack of its own on this machine's Docker engine, and removes it: how long \`up\` takes, how long writes wait when the
leader meets a fault, what the way through the pool costs, what a distributed database costs and gives, and how long previews of prod take
where a Kubernetes cluster is there. Without a part: all of them. A goal that is missed is no failure of the
command, since machines are busy; a measurement that could not be made is.`;

async function measure(bench: Bench, parts: ReadonlySet<Part>): Promise<void> {
  if (parts.has("up")) await measureUp(bench);
  else if (parts.has("gaps") || parts.has("throughput")) await upFromNothing(bench);
  if (parts.has("gaps")) await measureGaps(bench);
  if (parts.has("throughput")) await measureThroughput(bench);
  if (parts.has("distributed")) await measureDistributed(bench);
  if (parts.has("kubernetes")) await measureKubernetes(bench);
}

/** How fast a core of this machine is now: machines of the same name differ by a factor of five. */
function additionMs(): number {
  const started = performance.now();
  let sum = 0;
  for (let i = 0; i < 1e8; i++) sum = (sum + i) | 0;
  return Math.round(performance.now() - started + 0 * sum);
}

class Interrupted extends Error {}

/** Rejects when this process is asked to stop. */
const interrupted = (): Promise<never> =>
  new Promise((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => reject(new Interrupted(`stopped by ${signal}`)));
    }
  });

async function main(parts: readonly string[]): Promise<number> {
  if (!parts.every((part): part is Part => PARTS.some((known) => known === part))) {
    console.error(USAGE);
    return 2;
  }
  const bench = new Bench();
  const load = os.loadavg()[0] ?? 0;
  console.log(
    `${os.cpus().length} cores, load ${load.toFixed(1)}, a hundred million additions in ${additionMs()} ms; figures are worth something ` +
      "on an idle machine, and those in seconds only beside those of a machine that adds as fast",
  );
  let complete = false;
  try {
    await Promise.race([measure(bench, new Set(parts.length === 0 ? PARTS : parts)), interrupted()]);
    complete = true;
  } catch (error) {
    bench.interrupt();
    bench.say(error instanceof Error ? error.message : String(error));
  } finally {
    bench.say("removing everything that was made");
    await stopChildren();
    await bench.sweep();
  }
  if (bench.lines.length > 0) console.log(`\n${formatTable(bench.lines)}\n`);
  return complete && !bench.failed ? 0 : 1;
}

// What an interrupted measurement still waits for must not hold the process.
void main(process.argv.slice(2)).then((code) => process.exit(code));
