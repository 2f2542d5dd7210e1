import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { PATRONI_BEFOREHAND_PROVIDER_VERSION } from "./beforehand-provider";
import type { RestArgs } from "./rest";
import type { JudgedGroup } from "./judge-plan";

export interface PatroniBeforehandArgs {
  readonly rest: RestArgs;
  /** As for `PatroniConfiguration`. */
  readonly configuration: pulumi.Input<string>;
  readonly group: Omit<JudgedGroup, "image">;
}

/**
 * Writes the part of the dynamic configuration that must be in place before members are replaced or waited for; a `PatroniConfiguration`
 * after them writes the rest. Usually there is no such part. But if a member is unhealthy, the change may be what fixes it, and a library
 * that is no longer declared must be removed from the configuration before the image without it is deployed, or no member would start.
 */
export class PatroniBeforehand extends DynamicResource {
  constructor(name: string, args: PatroniBeforehandArgs, opts?: pulumi.CustomResourceOptions) {
    const { password, ...rest } = args.rest;
    super(
      "resources/patroni/beforehand-provider#patroniBeforehandProvider",
      name,
      {
        rest,
        password: pulumi.secret(password),
        configuration: args.configuration,
        group: args.group,
        deadlineSeconds: 30,
        providerVersion: PATRONI_BEFOREHAND_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["password"] }),
      "patroni",
      "PatroniBeforehand",
    );
  }
}
