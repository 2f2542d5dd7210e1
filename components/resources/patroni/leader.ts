import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { PATRONI_LEADER_PROVIDER_VERSION } from "./leader-provider";
import type { RestArgs } from "./rest";

export interface PatroniLeaderArgs {
  readonly rest: Pick<RestArgs, "members" | "ca">;
  /** How long the first start, or the recovery of the member that leads, may take, in seconds. Default 660. */
  readonly deadlineSeconds?: number;
}

/**
 * Resolves when one of the members leads and takes writes. At first that is long before the others have been cloned from it, and what
 * only needs somebody to write to need not wait for them.
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
