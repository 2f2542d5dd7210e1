import type * as pulumi from "@pulumi/pulumi";
import type Dockerode from "dockerode";
import { DynamicResource } from "../../dynamic/resource";
import { printProgress } from "../../dynamic/progress";
import type { Command } from "../workload";
import { diffInputs } from "./diff-inputs";
import { dockerEngine, execIn, isNotFound, memberState, stopContainer } from "../../reach/docker/engine";
import { LABELS } from "../../reach/docker/names";

export interface HandoverInputs {
  readonly container: string;
  /** Digest of the container's arguments; a different one means that it is about to be replaced. */
  readonly digest: string;
  /** Runs in the old container before it is replaced. */
  readonly handover?: Command;
}

/** Runs the handover in a container that is about to be replaced, if it is running. */
async function handOver(engine: Dockerode, container: string, handover: Command | undefined): Promise<void> {
  if (!handover) return;
  const before = await memberState(engine, container);
  if (before.status !== "running") return;
  const { command, timeoutSeconds } = handover;
  const result = await execIn(engine, container, command, timeoutSeconds).catch((error: unknown) => {
    if (isNotFound(error) || (error as { statusCode?: number }).statusCode === 409) return undefined;
    throw error;
  });
  if (!result || result.exitCode === 0) return;
  // A container that stopped meanwhile, for example in a crash loop, has nothing left to hand over.
  const after = await memberState(engine, container);
  if (after.status !== "running" || after.startedAt !== before.startedAt) return;
  throw new Error(
    `${container} cannot hand over, so it was not replaced: ${command[0]} failed with exit code ${result.exitCode}.\n${result.output}`,
  );
}

export const handoverProvider: pulumi.dynamic.ResourceProvider<HandoverInputs, HandoverInputs> = {
  diff(_id, olds, news) {
    return diffInputs(olds, news, ["container", "digest", "handover"], "container");
  },

  // Usually no container exists yet. In an adopted cluster, the former state's container must hand over.
  async create(inputs) {
    const engine = dockerEngine();
    const { status } = await memberState(engine, inputs.container);
    if (status === "missing") return { id: inputs.container, outs: inputs };
    const { Config } = await engine.getContainer(inputs.container).inspect();
    const cluster = Config.Labels[LABELS.stack];
    // Leave a container that is not part of a cluster alone; the provider reports that the name is in use.
    if (cluster === undefined || !inputs.container.startsWith(`${cluster}-`))
      return { id: inputs.container, outs: inputs };
    await handOver(engine, inputs.container, inputs.handover);
    printProgress(`stopping ${inputs.container} to recreate it`);
    await stopContainer(engine, inputs.container);
    await engine
      .getContainer(inputs.container)
      .remove({ v: false })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    return { id: inputs.container, outs: inputs };
  },

  async update(_id, olds, news) {
    if (olds.digest !== news.digest)
      await handOver(dockerEngine(), news.container, news.handover ?? olds.handover);
    return { outs: news };
  },
};

/** The first half of a member's step in a rolling update: it hands over what only one member can have, such as leadership. */
export class Handover extends DynamicResource {
  constructor(name: string, args: HandoverInputs, opts: pulumi.CustomResourceOptions) {
    super("platforms/docker/handover#handoverProvider", name, args, opts, "postgres-cluster", "Handover", {
      type: "Turn",
      name: name.replace(/-handover$/, "-turn"),
    });
  }
}
