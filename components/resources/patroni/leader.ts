import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { PATRONI_LEADER_PROVIDER_VERSION } from "./leader-provider";
import type { RestArgs } from "./rest";

export interface PatroniLeaderArgs {
  readonly rest: Pick<RestArgs, "members" | "ca">;
  /** Seconds that the first start, or the leader's recovery, may take. Default 660. */
  readonly deadlineSeconds?: number;
}

/**
 * Resolves when one of the members is the leader and accepts writes. In a new cluster that is long before the replicas have been cloned, so
 * resources that only need a primary can depend on this one instead of on all members.
 */
export class PatroniLeader extends DynamicResource {
  constructor(name: string, args: PatroniLeaderArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "resources/patroni/leader-provider#patroniLeaderProvider",
      name,
      {
        rest: args.rest,
        deadlineSeconds: args.deadlineSeconds ?? 660,
        providerVersion: PATRONI_LEADER_PROVIDER_VERSION,
      },
      opts,
      "patroni",
      "PatroniLeader",
    );
  }
}
