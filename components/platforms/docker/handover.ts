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
  /** Digest of what the container is made of; another one means that the container is about to be replaced. */
  readonly digest: string;
  /** Runs in the old container before that. */
  readonly handover?: Command;
}

/** Runs the handover in a container that is about to go, if it runs. */
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
  // A container that died meanwhile, as one does that crashes again and again, has nothing left to hand over.
  const after = await memberState(engine, container);
  if (after.status !== "running" || after.startedAt !== before.startedAt) return;
  throw new Error(
    `${container} cannot hand over, so it is not replaced: ${command[0]} ended with ${result.exitCode}.\n${result.output}`,
  );
}

export const handoverProvider: pulumi.dynamic.ResourceProvider<HandoverInputs, HandoverInputs> = {
  diff(_id, olds, news) {
    return diffInputs(olds, news, ["container", "digest", "handover"], "container");
  },

  // Nothing runs yet that could hand over, but for a container that another state made, of a cluster that this one has adopted.
  async create(inputs) {
    const engine = dockerEngine();
    const { status } = await memberState(engine, inputs.container);
    if (status === "missing") return { id: inputs.container, outs: inputs };
    const { Config } = await engine.getContainer(inputs.container).inspect();
    const cluster = Config.Labels[LABELS.stack];
    // Whoever made it may need it; the provider says that the name is taken.
    if (cluster === undefined || !inputs.container.startsWith(`${cluster}-`))
      return { id: inputs.container, outs: inputs };
    await handOver(engine, inputs.container, inputs.handover);
    printProgress(`${inputs.container} is stopped, to be made anew`);
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

/** The start of a member's step of a rolling change: what it alone has, such as leadership, is handed over before its container is replaced. */
export class Handover extends DynamicResource {
  constructor(name: string, args: HandoverInputs, opts: pulumi.CustomResourceOptions) {
    super("platforms/docker/handover#handoverProvider", name, args, opts, "postgres-cluster", "Handover", {
      type: "Turn",
      name: name.replace(/-handover$/, "-turn"),
    });
  }
}
