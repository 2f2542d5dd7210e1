import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import type { EtcdAuthenticationArgs } from "./index";
import { ETCD_KEYS_PROVIDER_VERSION } from "./keys-provider";

export interface EtcdKeysArgs {
  readonly members: EtcdAuthenticationArgs["members"];
  /** PEM of the authority that signed the members' certificates. */
  readonly ca: pulumi.Input<string>;
  /** A user that may write the keys. */
  readonly user: pulumi.Input<string>;
  readonly password: pulumi.Input<string>;
  /** The prefix of all keys. Ends with "/". */
  readonly prefix: string;
}

/**
 * Deletes the keys with this prefix from etcd when the resource is deleted. Resources that write the keys must depend on it, so that they are
 * deleted first.
 */
export class EtcdKeys extends DynamicResource {
  constructor(name: string, args: EtcdKeysArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "resources/etcd/keys-provider#etcdKeysProvider",
      name,
      { ...args, password: pulumi.secret(args.password), providerVersion: ETCD_KEYS_PROVIDER_VERSION },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password"] }),
      "etcd",
      "EtcdKeys",
    );
  }
}
