import type { dynamic } from "@pulumi/pulumi";
import * as pulumi from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { recordedState } from "../../dynamic/recorded-state";
import { DynamicResource } from "../../dynamic/resource";
import { declareMembers, type EtcdMembers, strangers } from "./members";

/** Raise it when the provider does something else for the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const ETCD_MEMBERSHIP_PROVIDER_VERSION = 1;

export interface EtcdMembershipInputs extends EtcdMembers {
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type EtcdMembershipOutputs = EtcdMembershipInputs & {
  /** What a refresh found different from what was declared; the next `up` mends it. */
  readonly drift: readonly string[];
};

/** Nobody, when no majority answers: nothing can be mended then, and what waits for this brings the members back. */
const undeclaredNow = (cluster: EtcdMembers): Promise<readonly string[]> =>
  strangers(cluster).catch(() => []);

export const etcdMembershipProvider: dynamic.ResourceProvider<EtcdMembershipInputs, EtcdMembershipOutputs> = {
  // Other credentials reach the members later than this, and are no reason to talk to them.
  diff(_id, olds, news) {
    const { changed } = changedInputs(olds, news, ["members", "providerVersion"]);
    return Promise.resolve({ changes: changed.length > 0 || olds.drift.length > 0, replaces: [] });
  },

  // At first nobody is there whom to tell. A cluster that is older than this resource may have members who are to go.
  async create(inputs) {
    if ((await undeclaredNow(inputs)).length > 0) await declareMembers(inputs, undefined);
    return { id: "membership", outs: { ...inputs, drift: [] } };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    const names = await undeclaredNow(recorded);
    return { id, props: { ...recorded, drift: names.map((name) => `${name} is a member and not declared`) } };
  },

  async update(_id, olds, news) {
    await declareMembers({ ...news, ca: `${news.ca}\n${olds.ca}` }, olds.rootPassword);
    return { outs: { ...news, drift: [] } };
  },
};

export interface EtcdMembershipArgs extends Pick<EtcdMembers, "members"> {
  readonly ca: pulumi.Input<string>;
  readonly rootPassword: pulumi.Input<string>;
  /** How long to wait for a majority, in seconds. Default 120. */
  readonly deadlineSeconds?: number;
}

/**
 * Who belongs to an etcd cluster, told to the cluster before its members are changed: one that is to go is no member any more when it
 * stops, so that no majority is ever counted with members that are gone. One that is to come adds itself (`etcd-start`).
 */
export class EtcdMembership extends DynamicResource {
  constructor(name: string, args: EtcdMembershipArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "resources/etcd/membership#etcdMembershipProvider",
      name,
      {
        members: args.members,
        ca: args.ca,
        rootPassword: pulumi.secret(args.rootPassword),
        deadlineSeconds: args.deadlineSeconds ?? 120,
        drift: undefined,
        providerVersion: ETCD_MEMBERSHIP_PROVIDER_VERSION,
      },
      pulumi.mergeOptions(opts ?? {}, { additionalSecretOutputs: ["rootPassword"] }),
      "etcd",
      "EtcdMembership",
    );
  }
}
