import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import type { Reach } from "../../reach/reach";
export { EtcdMembership } from "./membership";
export { EtcdTrust } from "./trust";
import { ETCD_AUTHENTICATION_PROVIDER_VERSION } from "./provider";

export interface EtcdAuthenticationArgs {
  /** Every member of the etcd cluster; any that answers is asked. */
  readonly members: readonly {
    readonly name: string;
    /** How this machine reaches its client port. */
    readonly reach: Reach;
    /** The name that its certificate carries. */
    readonly serverName: string;
  }[];
  /** PEM of the authority that signed the members' certificates. */
  readonly ca: pulumi.Input<string>;
  /** Password of etcd's administrator `root`. A change is carried out with the old one. */
  readonly rootPassword: pulumi.Input<string>;
  /** Who may use etcd, each locked into its own keys. A scope that is taken off the list loses its user and role; its keys stay. */
  readonly scopes: readonly {
    /** Name of the user; its role has the same name. */
    readonly user: pulumi.Input<string>;
    readonly password: pulumi.Input<string>;
    /** The keys that it may read and write: all that begin with this. Begins and ends with "/". */
    readonly prefix: string;
  }[];
  /** Root's password before the cluster was adopted by this state, good until it has been set anew. Default none. */
  readonly formerRootPassword?: pulumi.Input<string | undefined>;
  /** Users of scopes, and their roles, that nobody uses any more; they are deleted. Default none. */
  readonly retired?: pulumi.Input<readonly string[]>;
  /** How long to wait for a majority of the members, in seconds. Default 120. */
  readonly deadlineSeconds?: number;
}

/**
 * Users, roles and authentication of an etcd cluster. Resolves when a majority answers, authentication is on, and each scope's user
 * has been seen to be able to write its own keys and no others.
 */
export class EtcdAuthentication extends DynamicResource {
  /** What a refresh found different from what was declared; the next `up` mends it. */
  declare readonly drift: pulumi.Output<readonly string[]>;

  constructor(name: string, args: EtcdAuthenticationArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "resources/etcd/provider#etcdAuthenticationProvider",
      name,
      {
        members: args.members,
        ca: args.ca,
        rootPassword: pulumi.secret(args.rootPassword),
        scopes: args.scopes.map(({ user, prefix }) => ({ user, prefix })),
        passwords: pulumi.secret(
          pulumi
            .all(args.scopes.map(({ user, password }) => pulumi.all([user, password])))
            .apply((entries) => Object.fromEntries(entries)),
        ),
        ...(args.formerRootPassword !== undefined && {
          formerRootPassword: pulumi.secret(args.formerRootPassword),
        }),
        ...(args.retired !== undefined && { retired: args.retired }),
        deadlineSeconds: args.deadlineSeconds ?? 120,
        drift: undefined,
        providerVersion: ETCD_AUTHENTICATION_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, {
        additionalSecretOutputs: ["rootPassword", "passwords", "formerRootPassword"],
      }),
      "etcd",
      "EtcdAuthentication",
    );
  }
}
