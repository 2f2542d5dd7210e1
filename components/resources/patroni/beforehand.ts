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
 * What of the dynamic configuration must be written before members are replaced or waited for; a `PatroniConfiguration` after them does the
 * rest. Nothing, as a rule. But where a member is not well, the cure may be the very change; and a library that is no longer loaded must be
 * gone from the configuration before there is an image without it, or no member would start.
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
