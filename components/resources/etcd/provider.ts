import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { recordedState } from "../../dynamic/recorded-state";
import { orDrift } from "../../dynamic/drift";
import { isUnknown } from "../../dynamic/unknown-value";
import type { Scope } from "./plan";
import { checkScopes } from "./check";
import type { ClusterMember } from "./reconcile";
import { inspectAuthentication, reconcileAuthentication } from "./reconcile";
import { printProgress } from "../../dynamic/progress";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const ETCD_AUTHENTICATION_PROVIDER_VERSION = 1;

export interface EtcdAuthenticationInputs {
  readonly members: readonly ClusterMember[];
  readonly ca: string;
  readonly scopes: readonly Scope[];
  readonly rootPassword: string;
  /** By user. */
  readonly passwords: Readonly<Record<string, string>>;
  readonly formerRootPassword?: string;
  readonly retired?: readonly string[];
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type EtcdAuthenticationOutputs = EtcdAuthenticationInputs & {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  readonly drift: readonly string[];
};

export const etcdAuthenticationProvider: dynamic.ResourceProvider<
  EtcdAuthenticationInputs,
  EtcdAuthenticationOutputs
> = {
  check: (_olds, news) =>
    Promise.resolve({ inputs: news, failures: isUnknown(news.scopes) ? [] : checkScopes(news.scopes) }),

  diff(_id, olds, news) {
    const inputs = changedInputs(olds, news, [
      "members",
      "ca",
      "scopes",
      "rootPassword",
      "passwords",
      "retired",
      "providerVersion",
    ]);
    return Promise.resolve({ changes: inputs.changed.length > 0 || olds.drift.length > 0, replaces: [] });
  },

  async create(inputs) {
    await reconcileAuthentication(inputs, undefined);
    return { id: "authentication", outs: { ...inputs, drift: [] } };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    return orDrift(id, recorded, async () => {
      const seen = await inspectAuthentication(recorded);
      // A new etcd cluster has no users: report the resource as deleted, so that the next `up` creates it again.
      if (!seen.enabled) return {};
      return { id, props: { ...recorded, drift: seen.drift } };
    });
  },

  async update(_id, olds, news) {
    await reconcileAuthentication(news, olds);
    return { outs: { ...news, drift: [] } };
  },

  delete() {
    // Disabling authentication would expose everything that is still stored.
    printProgress("etcd's users and authentication are kept in its data volumes");
    return Promise.resolve();
  },
};
