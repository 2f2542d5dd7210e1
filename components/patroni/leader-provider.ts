import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../dynamic/changed-inputs";
import { recordedState } from "../dynamic/recorded-state";
import { waitUntil } from "../dynamic/wait-until";
import { lastLines } from "../platform/last-lines";
import type { RestTarget } from "./rest";
import { withPatroni } from "./rest";

/** Raise it when the provider does something else for the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const PATRONI_LEADER_PROVIDER_VERSION = 1;

export interface PatroniLeaderInputs {
  readonly rest: Pick<RestTarget, "members" | "ca">;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

/** Why there is no leader that takes writes; undefined when there is one. Patroni takes the lock only after the bootstrap's last step. */
async function problemOf({ rest }: PatroniLeaderInputs): Promise<string | undefined> {
  // It only reads, for which no credentials are needed. Any member knows what the DCS says.
  return withPatroni({ ...rest, username: "", password: "" }, async (patroni) => {
    const { status, json } = await patroni.sendToAny({ method: "GET", path: "/cluster" });
    if (status !== 200) return `status ${status} for /cluster`;
    const { members = [] } = json as { members?: { name: string; role: string; state: string }[] };
    const leader = members.find(({ role }) => role === "leader");
    if (leader === undefined) return "nobody leads";
    return leader.state === "running"
      ? undefined
      : `${leader.name} leads, and its PostgreSQL is ${leader.state}`;
  });
}

async function awaitLeader(inputs: PatroniLeaderInputs): Promise<PatroniLeaderInputs> {
  const { deadlineSeconds, rest } = inputs;
  const explain = async (): Promise<string> => {
    const logs = await Promise.all(
      rest.members.map(async ({ name, reach }) => ({ name, log: await lastLines(reach, 5) })),
    );
    return logs
      .filter(({ log }) => log !== "")
      .map(({ name, log }) => `the end of the log of ${name}:\n${log}`)
      .join("\n");
  };
  await waitUntil({ what: "the members have a leader", deadlineSeconds, explain }, async () => {
    const why = await problemOf(inputs);
    return why === undefined ? { done: true as const, value: undefined } : { done: false as const, why };
  });
  return inputs;
}

export const patroniLeaderProvider: dynamic.ResourceProvider<PatroniLeaderInputs, PatroniLeaderInputs> = {
  diff(_id, olds, news) {
    const changes = changedInputs(olds, news, ["rest", "providerVersion"]).changed.length > 0;
    return Promise.resolve({ changes, replaces: [] });
  },

  async create(inputs) {
    return { id: "leader", outs: await awaitLeader(inputs) };
  },

  // "Gone" when nobody leads, so that the next `up` waits for one again after it has mended the members.
  async read(id, props) {
    const recorded = recordedState(props);
    const why = await problemOf(recorded).catch((error: unknown) => String(error));
    return why === undefined ? { id, props: recorded } : {};
  },

  async update(_id, _olds, news) {
    return { outs: await awaitLeader(news) };
  },
};
