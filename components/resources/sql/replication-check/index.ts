import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../dynamic/resource";
import type { RestMember } from "../../patroni/rest";
import type { SessionArgs } from "../session-args";
import { splitPassword } from "../session-args";
import type { Seen } from "./plan";
import { REPLICATION_CHECK_PROVIDER_VERSION } from "./provider";

export interface ReplicationCheckArgs {
  /** A superuser's session. Its members are the expected ones. */
  readonly target: SessionArgs;
  /** The members' Patroni REST APIs; reading needs no login. */
  readonly rest: { readonly members: readonly RestMember[]; readonly ca: pulumi.Input<string> };
  /** How many members there must be. */
  readonly members: number;
  /** How many replicas must be synchronous, at least; 0 where replication is asynchronous. */
  readonly synchronousReplicas: number;
  /** Maximum replay lag of a replica, in bytes of WAL. */
  readonly maximumLagBytes: number;
  /** Seconds to wait until replication is as declared. Default 120. */
  readonly deadlineSeconds?: number;
}

/**
 * Verifies on every `up` that the declared members replicate: each streams from the leader in the DCS, as many as declared are synchronous,
 * none lags more than the limit, and no other member accepts writes. Fails with all problems. Previews check
 * too, and show a change if there is a problem or if the leader or a member's state has changed.
 */
export class ReplicationCheck extends DynamicResource {
  /** What the last check saw. */
  declare readonly seen: pulumi.Output<Seen>;

  constructor(name: string, args: ReplicationCheckArgs, opts?: pulumi.CustomResourceOptions) {
    const { target, password } = splitPassword(args.target);
    super(
      "resources/sql/replication-check/provider#replicationCheckProvider",
      name,
      {
        target,
        password: pulumi.secret(password),
        rest: { members: args.rest.members, ca: args.rest.ca },
        members: args.members,
        synchronousReplicas: args.synchronousReplicas,
        maximumLagBytes: args.maximumLagBytes,
        deadlineSeconds: args.deadlineSeconds ?? 120,
        seen: undefined,
        providerVersion: REPLICATION_CHECK_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password"] }),
      "sql",
      "ReplicationCheck",
    );
  }
}
