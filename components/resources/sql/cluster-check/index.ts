import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import { type CheckedGroup, CLUSTER_CHECK_PROVIDER_VERSION } from "./provider";

export interface ClusterCheckArgs {
  /** A superuser's session on the coordinators, in the distributed database. */
  readonly coordinator: SessionArgs;
  /** Every declared group; 0 is the coordinators' group. */
  readonly groups: readonly CheckedGroup[];
  /** Seconds to wait until everything is as declared. Default 120. */
  readonly deadlineSeconds?: number;
}

/**
 * Verifies on every `up` that the nodes of a Citus cluster are as declared: the DCS knows exactly the members of every group, `pg_dist_node`
 * has each of them under its own name and in its actual role, active and with current metadata, and each node reaches every other
 * one. Fails with all problems. Previews and refreshes check too.
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
