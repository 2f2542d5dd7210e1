import type { dynamic } from "@pulumi/pulumi";
import * as pulumi from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { recordedState } from "../../dynamic/recorded-state";
import { DynamicResource } from "../../dynamic/resource";
import { declareMembers, type EtcdMembers, strangers } from "./members";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const ETCD_MEMBERSHIP_PROVIDER_VERSION = 1;

export interface EtcdMembershipInputs extends EtcdMembers {
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type EtcdMembershipOutputs = EtcdMembershipInputs & {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  readonly drift: readonly string[];
};

/** Empty if no majority answers: nothing can be corrected then, and the resources that depend on this one restart the members. */
const undeclaredNow = (cluster: EtcdMembers): Promise<readonly string[]> =>
  strangers(cluster).catch(() => []);

export const etcdMembershipProvider: dynamic.ResourceProvider<EtcdMembershipInputs, EtcdMembershipOutputs> = {
  // Changed credentials reach the members later than this resource, and are no reason to contact them.
  diff(_id, olds, news) {
    const { changed } = changedInputs(olds, news, ["members", "providerVersion"]);
    return Promise.resolve({ changes: changed.length > 0 || olds.drift.length > 0, replaces: [] });
  },

  // A new cluster has no members yet. One that is older than this resource may have members that are no longer declared.
  async create(inputs) {
    if ((await undeclaredNow(inputs)).length > 0) await declareMembers(inputs, undefined);
    return { id: "membership", outs: { ...inputs, drift: [] } };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    const names = await undeclaredNow(recorded);
    return {
      id,
      props: { ...recorded, drift: names.map((name) => `${name} is a member, but not declared`) },
    };
  },

  async update(_id, olds, news) {
    await declareMembers({ ...news, ca: `${news.ca}\n${olds.ca}` }, olds.rootPassword);
    return { outs: { ...news, drift: [] } };
  },
};

export interface EtcdMembershipArgs extends Pick<EtcdMembers, "members"> {
  readonly ca: pulumi.Input<string>;
  readonly rootPassword: pulumi.Input<string>;
  /** Seconds to wait for a majority. Default 120. */
  readonly deadlineSeconds?: number;
}

/**
 * The members of an etcd cluster, declared before they are changed: a member is removed from the member list before it stops, so the quorum
 * never includes members that no longer exist. A new member adds itself (`etcd-start`).
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
