import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import type { JudgedGroup } from "./judge-plan";
import type { RestArgs } from "./rest";
import { PATRONI_CONFIGURATION_PROVIDER_VERSION } from "./provider";

export interface PatroniConfigurationArgs {
  readonly rest: RestArgs;
  /**
   * The dynamic configuration, a JSON object. Removing a key here removes it from the cluster; keys that were never declared are not
   * changed. https://patroni.readthedocs.io/en/latest/dynamic_configuration.html
   */
  readonly configuration: pulumi.Input<string>;
  /**
   * The group whose members validate the configuration, with PostgreSQL from their image, before it is applied. Default: no validation, so
   * that a rejected value is only found when it is applied.
   */
  readonly group?: JudgedGroup;
  /** Seconds that the members may take to answer and to apply a change. Default 60. */
  readonly deadlineSeconds?: number;
  /** Seconds that a member may take to stop, start and stream again. Default 300. */
  readonly restartSeconds?: number;
}

/**
 * Patroni's dynamic configuration. A preview fails if PostgreSQL rejects the configuration, and a change that fails on the first replica is
 * reverted. Parameters that only need a reload restart nothing. If members have a pending restart, replicas are restarted one by one, each
 * streaming again before the next, and the leader last, after a switchover. Previews show changes that were made to the running cluster
 * outside of Pulumi, if the cluster can be reached.
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
