import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import { type CheckedGroup, CLUSTER_CHECK_PROVIDER_VERSION } from "./provider";

export interface ClusterCheckArgs {
  /** A superuser's session on the coordinators, in the distributed database. */
  readonly coordinator: SessionArgs;
  /** Every group that is declared; 0 is that of the coordinators. */
  readonly groups: readonly CheckedGroup[];
  /** How long to wait until all is as declared, in seconds. Default 120. */
  readonly deadlineSeconds?: number;
}

/**
 * Proves after every `up` that the nodes of a Citus cluster are those that were declared: the DCS knows every member of every group and
 * no other, `pg_dist_node` has each under its own name and in the role that it has, active and with the present metadata, and each
 * node reaches every other one. Fails with everything that is wrong. A preview and a refresh look, too.
 */
export class ClusterCheck extends DynamicResource {
  constructor(name: string, args: ClusterCheckArgs, opts?: pulumi.CustomResourceOptions) {
    const { target, password } = splitPassword(args.coordinator);
    super(
      "resources/sql/cluster-check/provider#clusterCheckProvider",
      name,
      {
        coordinator: target,
        password: pulumi.secret(password),
        groups: args.groups,
        deadlineSeconds: args.deadlineSeconds ?? 120,
        drift: undefined,
        providerVersion: CLUSTER_CHECK_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password"] }),
      "sql",
      "ClusterCheck",
    );
  }
}
