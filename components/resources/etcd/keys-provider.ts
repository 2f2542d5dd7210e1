import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { waitUntil } from "../../dynamic/wait-until";
import { logIn, must, withGateway } from "./gateway";
import type { ClusterMember } from "./reconcile";
import { printProgress } from "../../dynamic/progress";
import { reasonOf } from "../../dynamic/reason";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once. */
export const ETCD_KEYS_PROVIDER_VERSION = 1;

export interface EtcdKeysInputs {
  readonly members: readonly ClusterMember[];
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  readonly prefix: string;
  readonly providerVersion: number;
}

/** The end of the range of keys with `prefix`: the prefix with its last byte incremented. */
export function rangeEnd(prefix: string): string {
  const bytes = Buffer.from(prefix, "utf8");
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) + 1;
  return bytes.toString("base64");
}

async function deleteKeys(inputs: EtcdKeysInputs): Promise<number> {
  const reasons: string[] = [];
  return waitUntil({ what: "etcd deletes the keys", deadlineSeconds: 60 }, async () => {
    for (const { name, serverName, reach } of inputs.members) {
      try {
        const value = await withGateway({ reach, serverName, ca: inputs.ca }, async (gateway) => {
          const login = await logIn(gateway, inputs.user, inputs.password);
          if (login.result !== "ok") throw new Error(`${inputs.user} cannot log in: ${login.result}`);
          const key = Buffer.from(inputs.prefix, "utf8").toString("base64");
          const range = { key, range_end: rangeEnd(inputs.prefix) };
          return Number((await must(gateway, "/v3/kv/deleterange", range, login.token)).deleted ?? 0);
        });
        return { done: true as const, value };
      } catch (error) {
        reasons.push(`${name}: ${reasonOf(error)}`);
      }
    }
    return { done: false as const, why: reasons.splice(0).join("; ") };
  });
}

export const etcdKeysProvider: dynamic.ResourceProvider<EtcdKeysInputs, EtcdKeysInputs> = {
  diff(_id, olds, news) {
    const { changed, certain } = changedInputs(olds, news, [
      "members",
      "ca",
      "user",
      "password",
      "prefix",
      "providerVersion",
    ]);
    return Promise.resolve({
      changes: changed.length > 0,
      replaces: certain.filter((name) => name === "prefix"),
    });
  },

  create: (inputs) => Promise.resolve({ id: inputs.prefix, outs: inputs }),
  update: (_id, _olds, news) => Promise.resolve({ outs: news }),

  async delete(_id, props) {
    const deleted = await deleteKeys(props);
    if (deleted > 0) printProgress(`${deleted} keys with prefix ${props.prefix} were deleted from etcd`);
  },
};
