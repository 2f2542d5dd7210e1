import type { dynamic } from "@pulumi/pulumi";
import type * as pulumi from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { withHttps } from "../../reach/https-client";
import { DynamicResource } from "../../dynamic/resource";
import { printProgress } from "../../dynamic/progress";
import { waitUntil } from "../../dynamic/wait-until";
import { restartMember } from "../../reach/restart-member";
import { isHealthy } from "./gateway";
import type { Cluster, ClusterMember } from "./reconcile";
import { reasonOf } from "../../dynamic/reason";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once. */
export const ETCD_TRUST_PROVIDER_VERSION = 1;

export interface EtcdTrustInputs extends Cluster {
  /** The members run since before this state adopted them, so they must be restarted even if the resource is new. */
  readonly running: boolean;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

/** Why a member is not healthy; undefined if it is. */
const problemOf = (member: ClusterMember, ca: string): Promise<string | undefined> =>
  withHttps({ ...member, ca }, (send) => isHealthy(send)).catch((error: unknown) => reasonOf(error));

async function allServe({ members, ca, deadlineSeconds }: EtcdTrustInputs, what: string): Promise<void> {
  await waitUntil({ what, deadlineSeconds }, async () => {
    const problems = await Promise.all(
      members.map(async (member) => {
        const problem = await problemOf(member, ca);
        return problem === undefined ? [] : [`${member.name}: ${problem}`];
      }),
    );
    const why = problems.flat().join("; ");
    return why === "" ? { done: true as const, value: undefined } : { done: false as const, why };
  });
}

/** Restarts one member at a time, each when all are healthy. */
async function restartAll(inputs: EtcdTrustInputs): Promise<void> {
  for (const { name, reach } of inputs.members) {
    await allServe(inputs, "all etcd members are healthy before the next one is restarted");
    printProgress(`restart ${name}, so that it reads the changed certificate authorities`);
    await restartMember(reach);
  }
  await allServe(inputs, "all etcd members are healthy");
}

export const etcdTrustProvider: dynamic.ResourceProvider<EtcdTrustInputs, EtcdTrustInputs> = {
  diff(_id, olds, news) {
    const { changed } = changedInputs(olds, news, ["ca"]);
    return Promise.resolve({ changes: changed.length > 0, replaces: [] });
  },

  async create(inputs) {
    if (inputs.running) await restartAll(inputs);
    return { id: "trust", outs: inputs };
  },

  async update(_id, _olds, news) {
    await restartAll(news);
    return { outs: news };
  },
};

export interface EtcdTrustArgs extends Pick<EtcdTrustInputs, "members"> {
  /** PEM of the trusted authorities. */
  readonly ca: pulumi.Input<string>;
  /** The members ran before this state adopted them. */
  readonly running: pulumi.Input<boolean>;
  /** Seconds to wait for healthy members, before each restart and after the last one. Default 180. */
  readonly deadlineSeconds?: number;
}

/** The certificate authorities that etcd's members trust for peers. Members only read them at startup, so a change restarts them one by one. */
export class EtcdTrust extends DynamicResource {
  constructor(name: string, args: EtcdTrustArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "resources/etcd/trust#etcdTrustProvider",
      name,
      {
        ...args,
        deadlineSeconds: args.deadlineSeconds ?? 180,
        providerVersion: ETCD_TRUST_PROVIDER_VERSION,
      },
      opts,
      "etcd",
      "EtcdTrust",
    );
  }
}
