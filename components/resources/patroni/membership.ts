import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import type { RestArgs } from "./rest";
import { PATRONI_MEMBERSHIP_PROVIDER_VERSION } from "./membership-provider";

export interface PatroniMembershipArgs {
  readonly rest: RestArgs;
  /** How many standbys must have a transaction before it is acknowledged. */
  readonly synchronousReplicas: number;
  /** Seconds that the switchover from a leader that is removed may take. Default 120. */
  readonly deadlineSeconds?: number;
}

/**
 * The members of a group, declared to Patroni before they are changed: a leader that is removed hands over to a member that stays, commits
 * wait for no more standbys than there will be, and a leaving member is neither a switchover candidate nor needed for commits.
 */
export class PatroniMembership extends DynamicResource {
  constructor(name: string, args: PatroniMembershipArgs, opts?: pulumi.CustomResourceOptions) {
    const { password, ...rest } = args.rest;
    super(
      "resources/patroni/membership-provider#patroniMembershipProvider",
      name,
      {
        rest,
        password: pulumi.secret(password),
        synchronousReplicas: args.synchronousReplicas,
        deadlineSeconds: args.deadlineSeconds ?? 120,
        drift: undefined,
        providerVersion: PATRONI_MEMBERSHIP_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password"] }),
      "patroni",
      "PatroniMembership",
    );
  }
}
