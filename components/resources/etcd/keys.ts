import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import type { EtcdAuthenticationArgs } from "./index";
import { ETCD_KEYS_PROVIDER_VERSION } from "./keys-provider";

export interface EtcdKeysArgs {
  readonly members: EtcdAuthenticationArgs["members"];
  /** PEM of the authority that signed the members' certificates. */
  readonly ca: pulumi.Input<string>;
  /** Who may write the keys. */
  readonly user: pulumi.Input<string>;
  readonly password: pulumi.Input<string>;
  /** The keys are all that begin with this. Ends with "/". */
  readonly prefix: string;
}

/**
 * Keys in etcd that others write, and that go with this resource: deleting it deletes them. What writes them depends on it, so that it
 * has been deleted before.
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
