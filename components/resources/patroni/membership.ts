import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import type { RestArgs } from "./rest";
import { PATRONI_MEMBERSHIP_PROVIDER_VERSION } from "./membership-provider";

export interface PatroniMembershipArgs {
  readonly rest: RestArgs;
  /** How many standbys must hold a transaction before it is acknowledged. */
  readonly synchronousReplicas: number;
  /** How long a leader that leaves may take to hand over, in seconds. Default 120. */
  readonly deadlineSeconds?: number;
}

/**
 * Who belongs to a group, told to the group before its members are changed: a leader that is to leave hands over to one that stays, commits
 * wait for no more members than there will be, and nobody hands over to one that leaves, or waits for it.
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
