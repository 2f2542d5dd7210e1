import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import type { JudgedGroup } from "./judge-plan";
import type { RestArgs } from "./rest";
import { PATRONI_CONFIGURATION_PROVIDER_VERSION } from "./provider";

export interface PatroniConfigurationArgs {
  readonly rest: RestArgs;
  /**
   * The dynamic configuration, a JSON object. A key that is taken out of it is removed from the cluster; keys that were never in it
   * are left alone. https://patroni.readthedocs.io/en/latest/dynamic_configuration.html
   */
  readonly configuration: pulumi.Input<string>;
  /**
   * Whose image PostgreSQL is asked in whether it takes the configuration, before it is applied. Default: nobody's; what the servers refuse is
   * then found afterwards.
   */
  readonly group?: JudgedGroup;
  /** How long the members may take to answer and to take a change, in seconds. Default 60. */
  readonly deadlineSeconds?: number;
  /** How long a member may take to stop, start and stream again, in seconds. Default 300. */
  readonly restartSeconds?: number;
}

/**
 * Patroni's dynamic configuration. What PostgreSQL would refuse is refused in the preview, and what does not hold on the first replica is taken
 * back. Settings that need only a reload restart nothing. Where members then wait for a restart, replicas
 * are restarted one by one, each streaming again before the next, and the leader last, after a switchover. What was changed in the
 * running cluster by somebody else is noticed by the next preview, when the cluster can be reached.
 */
export class PatroniConfiguration extends DynamicResource {
  constructor(name: string, args: PatroniConfigurationArgs, opts?: pulumi.CustomResourceOptions) {
    const { password, ...rest } = args.rest;
    super(
      "resources/patroni/provider#patroniConfigurationProvider",
      name,
      {
        rest,
        password: pulumi.secret(password),
        configuration: args.configuration,
        group: args.group,
        deadlineSeconds: args.deadlineSeconds ?? 60,
        restartSeconds: args.restartSeconds ?? 300,
        providerVersion: PATRONI_CONFIGURATION_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password"] }),
      "patroni",
      "PatroniConfiguration",
    );
  }
}

export { PatroniBeforehand, type PatroniBeforehandArgs } from "./beforehand";
export type { JudgedGroup } from "./judge-plan";
export { PatroniMembership, type PatroniMembershipArgs } from "./membership";
export { PatroniLeader, type PatroniLeaderArgs } from "./leader";
export type { PatroniRest, RestArgs, RestMember, RestTarget } from "./rest";
export { withPatroni } from "./rest";
export type { ClusterStatus, MemberStatus } from "./status";
export { readStatus } from "./status";
export { switchover } from "./switchover";
