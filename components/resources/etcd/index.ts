import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import type { Reach } from "../../reach/reach";
export { EtcdMembership } from "./membership";
export { EtcdTrust } from "./trust";
import { ETCD_AUTHENTICATION_PROVIDER_VERSION } from "./provider";

export interface EtcdAuthenticationArgs {
  /** All members of the etcd cluster; any healthy one is used. */
  readonly members: readonly {
    readonly name: string;
    /** How this machine reaches its client port. */
    readonly reach: Reach;
    /** The name in its certificate. */
    readonly serverName: string;
  }[];
  /** PEM of the authority that signed the members' certificates. */
  readonly ca: pulumi.Input<string>;
  /** Password of etcd's administrator `root`. To change it, the previous one is used. */
  readonly rootPassword: pulumi.Input<string>;
  /** Users of etcd, each restricted to its own keys. Removing a scope deletes its user and role; its keys are kept. */
  readonly scopes: readonly {
    /** User name; its role has the same name. */
    readonly user: pulumi.Input<string>;
    readonly password: pulumi.Input<string>;
    /** The user may read and write all keys with this prefix. Starts and ends with "/". */
    readonly prefix: string;
  }[];
  /** Password of `root` before this state adopted the cluster, valid until it is changed. Default: none. */
  readonly formerRootPassword?: pulumi.Input<string | undefined>;
  /** Users of former scopes, to be deleted with their roles. Default: none. */
  readonly retired?: pulumi.Input<readonly string[]>;
  /** Seconds to wait for a majority of the members. Default 120. */
  readonly deadlineSeconds?: number;
}

/**
 * Users, roles and authentication of an etcd cluster. Resolves when a majority answers, authentication is enabled, and it is verified that
 * each scope's user can write its own keys and no others.
 */
export class EtcdAuthentication extends DynamicResource {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
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
