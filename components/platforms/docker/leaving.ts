import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { printProgress } from "../../dynamic/progress";
import { diffInputs } from "./diff-inputs";
import { dockerEngine, stopContainer } from "../../reach/docker/engine";

export interface LeavingInputs {
  /** The workload's full name, which its containers' names begin with: `pg-dev-patroni`. */
  readonly workload: string;
  /** The labels, `key=value`, that all its containers bear. */
  readonly labels: readonly string[];
  /** How many members stay: those with the lowest ordinals. */
  readonly replicas: number;
}

/** Of the containers' names those whose ordinal is not below `replicas`, the highest first. */
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
    printProgress(`stopping ${name}, which is removed, before the other members change`);
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
 * Members that are no longer declared are deleted at the end of `up`, as everything is. Where members hand something over to each other, that
 * is too late: they would be handed over to. So they are stopped before the first of the others is changed.
 */
export class Leaving extends DynamicResource {
  constructor(name: string, args: LeavingInputs, opts: pulumi.CustomResourceOptions) {
    super("platforms/docker/leaving#leavingProvider", name, args, opts, "postgres-cluster", "Leaving");
  }
}
