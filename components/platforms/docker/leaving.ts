import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { printProgress } from "../../dynamic/progress";
import { diffInputs } from "./diff-inputs";
import { dockerEngine, stopContainer } from "../../reach/docker/engine";

export interface LeavingInputs {
  /** The workload's full name, the prefix of its containers' names: `pg-dev-patroni`. */
  readonly workload: string;
  /** The labels, `key=value`, that all its containers have. */
  readonly labels: readonly string[];
  /** How many members stay, those with the lowest ordinals. */
  readonly replicas: number;
}

/** The names of containers whose ordinal is at least `replicas`, the highest first. */
export function leavingMembers(
  names: readonly string[],
  workload: string,
  replicas: number,
): readonly string[] {
  return names
    .map((name) => ({ name, ordinal: Number(/^(.*)-(\d+)$/.exec(name)?.[2] ?? NaN) }))
    .filter(({ name, ordinal }) => name === `${workload}-${ordinal}` && ordinal >= replicas)
    .sort((a, b) => b.ordinal - a.ordinal)
    .map(({ name }) => name);
}

async function stopLeaving({ workload, labels, replicas }: LeavingInputs): Promise<void> {
  const engine = dockerEngine();
  const running = await engine.listContainers({ filters: { label: [...labels] } });
  const names = running.map(({ Names }) => (Names[0] ?? "/").slice(1));
  for (const name of leavingMembers(names, workload, replicas)) {
    printProgress(`stopping ${name} before the other members change, because it is no longer declared`);
    await stopContainer(engine, name);
  }
}

export const leavingProvider: pulumi.dynamic.ResourceProvider<LeavingInputs, LeavingInputs> = {
  diff(_id, olds, news) {
    return diffInputs(olds, news, ["workload", "labels", "replicas"], "workload");
  },

  async create(inputs) {
    await stopLeaving(inputs);
    return { id: inputs.workload, outs: inputs };
  },

  async update(_id, _olds, news) {
    await stopLeaving(news);
    return { outs: news };
  },
};

/**
 * Stops members that are no longer declared before any other member is changed. Pulumi deletes them only at the end of `up`, and until then
 * other members could hand over to them, for example leadership.
 */
export class Leaving extends DynamicResource {
  constructor(name: string, args: LeavingInputs, opts: pulumi.CustomResourceOptions) {
    super("platforms/docker/leaving#leavingProvider", name, args, opts, "postgres-cluster", "Leaving");
  }
}
