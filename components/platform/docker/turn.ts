import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import type { Command } from "../workload";
import { diffInputs } from "./diff-inputs";
import { dockerEngine, execIn, isNotFound, memberState } from "./engine";

export interface TurnInputs {
  readonly container: string;
  /** Digest of what the container is made of; another one means that the container is about to be replaced. */
  readonly digest: string;
  /** Runs in the old container before that. */
  readonly handover?: Command;
}

/** A singleton: the serialiser and the provider server cache by object and by text. */
export const turnProvider: pulumi.dynamic.ResourceProvider<TurnInputs, TurnInputs> = {
  diff(_id, olds, news) {
    return diffInputs(olds, news, ["container", "digest", "handover"], "container");
  },

  // Nothing runs yet that could hand over.
  create(inputs) {
    return Promise.resolve({ id: inputs.container, outs: inputs });
  },

  async update(_id, olds, news) {
    const handover = news.handover ?? olds.handover;
    if (olds.digest === news.digest || !handover) return { outs: news };
    const engine = dockerEngine();
    const before = await memberState(engine, news.container);
    if (before.status !== "running") return { outs: news };
    const { command, timeoutSeconds } = handover;
    const result = await execIn(engine, news.container, command, timeoutSeconds).catch((error: unknown) => {
      if (isNotFound(error) || (error as { statusCode?: number }).statusCode === 409) return undefined;
      throw error;
    });
    if (result && result.exitCode !== 0) {
      // A container that died meanwhile, as one does that crashes again and again, has nothing left to hand over.
      const after = await memberState(engine, news.container);
      if (after.status !== "running" || after.startedAt !== before.startedAt) return { outs: news };
      throw new Error(
        `${news.container} cannot hand over, so it is not replaced: ${command[0]} ended with ${result.exitCode}.\n${result.output}`,
      );
    }
    return { outs: news };
  },
};

/** A member's turn in a rolling change: what it alone has is handed over before its container is replaced. */
export class Turn extends DynamicResource {
  constructor(name: string, args: TurnInputs, opts: pulumi.CustomResourceOptions) {
    super(turnProvider, name, args, opts, "postgres-cluster", "Turn");
  }
}
