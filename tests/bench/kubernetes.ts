import { imagesWith } from "../../config-files/images";
import { citusPackage } from "../support/citus";
import { KubernetesStack, withKubernetes } from "../kubernetes/cluster";
import type { Bench } from "./bench";
import { run } from "./child";
import { seconds, spread } from "./table";

/** Of a stack that runs; what comes after them is only previewed. */
const RUNNING = [2, 4];
const GROUPS = [4, 8, 16, 32];
const LONGEST_PREVIEW_SECONDS = 5;
const RUNS = 3;

/** Prod in sizes of which two cores hold some worker groups. */
const SIZES = {
  citus: "required",
  etcd: { members: 3, memory: "256Mi", cpu: "50m", cpuLimit: "none", volumeSize: "1Gi" },
  patroni: {
    members: 2,
    memory: "512Mi",
    cpu: "50m",
    cpuLimit: "none",
    volumeSize: "1Gi",
    parameters: { shared_buffers: "64MB", max_connections: 60 },
  },
  proxy: { entries: 1, writePools: 1, readPools: 1, poolSize: 5, cpu: "10m" },
};

const workers = (groups: number) => ({ workers: { groups, members: 2 } });

/** How long previews of prod take, by its number of worker groups: of a running stack without a change, and of one that is to be made. */
export async function measureKubernetes(bench: Bench): Promise<void> {
  if (!withKubernetes || citusPackage === undefined) {
    bench.say(
      "previews of prod are not measured: they need a Kubernetes cluster (KUBECONFIG, or make kube-up) and a package of Citus",
    );
    return;
  }
  const stack = new KubernetesStack("kube-bench", SIZES, imagesWith({ citus: citusPackage }));
  const previews = async (groups: number, ...options: string[]): Promise<number> => {
    stack.configure(workers(groups));
    await stack.cli.prepare();
    const { program, args, env } = stack.cli.invocation(["preview", ...options]);
    const taken: number[] = [];
    for (let i = 0; i < RUNS; i++) taken.push((await run(program, args, { env })).seconds);
    return spread(taken).median;
  };
  const growth = async (what: string, counts: readonly number[], taken: readonly number[]): Promise<void> => {
    const [fewest = 1, most = 1] = [counts[0], counts.at(-1)];
    const [first = 0, last = 0] = [taken[0], taken.at(-1)];
    await bench.measure(`${what}: growth from ${fewest} to ${most} groups`, () =>
      Promise.resolve({
        figure: `${seconds(first)} -> ${seconds(last)}`,
        ratio: last / first,
        goal: `<= ${most / fewest}x`,
        met: last / first <= most / fewest,
      }),
    );
  };

  const unmade: number[] = [];
  for (const groups of GROUPS)
    await bench.measure(
      `preview of prod that is to be made, ${groups} worker groups, median of ${RUNS}`,
      async () => {
        const median = await previews(groups);
        unmade.push(median);
        const largest = groups === GROUPS.at(-1);
        return {
          figure: seconds(median),
          ...(largest && { goal: `<= ${LONGEST_PREVIEW_SECONDS} s`, met: median <= LONGEST_PREVIEW_SECONDS }),
        };
      },
    );
  await growth("prod that is to be made", GROUPS, unmade);

  try {
    const unchanged: number[] = [];
    for (const groups of RUNNING)
      await bench.measure(
        `preview of prod without a change, ${groups} worker groups, median of ${RUNS}`,
        async () => {
          if (unchanged.length === 0) await stack.start(workers(groups));
          else {
            stack.configure(workers(groups));
            await stack.up();
          }
          const median = await previews(groups, "--expect-no-changes");
          unchanged.push(median);
          return {
            figure: seconds(median),
            goal: `<= ${LONGEST_PREVIEW_SECONDS} s`,
            met: median <= LONGEST_PREVIEW_SECONDS,
          };
        },
      );
    await growth("prod without a change", RUNNING, unchanged);
  } finally {
    bench.say("taking prod down");
    await stack.remove();
  }
}
