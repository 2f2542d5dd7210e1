import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { recordedState } from "../../dynamic/recorded-state";
import { waitUntil } from "../../dynamic/wait-until";
import { lastLines } from "../../reach/last-lines";
import { serverComplaint } from "./judge-plan";
import type { RestTarget } from "./rest";
import { withPatroni } from "./rest";
import { messageOf } from "../../dynamic/reason";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const PATRONI_LEADER_PROVIDER_VERSION = 1;

export interface PatroniLeaderInputs {
  readonly rest: Pick<RestTarget, "members" | "ca">;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

/** Why no leader accepts writes; undefined if one does. Patroni acquires the leader lock only after the last step of the bootstrap. */
async function problemOf({ rest }: PatroniLeaderInputs): Promise<string | undefined> {
  // Reading needs no credentials, and every member reports what the DCS says.
  return withPatroni({ ...rest, username: "", password: "" }, async (patroni) => {
    const { status, json } = await patroni.sendToAny({ method: "GET", path: "/cluster" });
    if (status !== 200) return `status ${status} for /cluster`;
    const { members = [] } = json as { members?: { name: string; role: string; state: string }[] };
    const leader = members.find(({ role }) => role === "leader");
    if (leader === undefined) return "the cluster has no leader";
    return leader.state === "running"
      ? undefined
      : `${leader.name} is the leader, but its PostgreSQL is in state ${leader.state}`;
  });
}

/**
 * The last lines, with their time, in which a member logs why it does not bootstrap the cluster (amendments/judged_bootstrap.py in the
 * image); undefined if there are none.
 */
export function refusedBootstrap(logs: readonly string[]): string | undefined {
  const lines = logs
    .flatMap((log) => log.split("\n"))
    .filter((line) => line.includes("no database is made: "));
  const last = lines.sort().at(-1);
  const moment = last === undefined ? undefined : /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.exec(last)?.[0];
  // All settings that one bootstrap rejects are logged within the same second.
  return moment === undefined ? last : lines.filter((line) => line.includes(moment)).join("\n");
}

const LINES = 40;

async function awaitLeader(inputs: PatroniLeaderInputs): Promise<PatroniLeaderInputs> {
  const { deadlineSeconds, rest } = inputs;
  const logsOf = (lines: number): Promise<{ name: string; log: string }[]> =>
    Promise.all(rest.members.map(async ({ name, reach }) => ({ name, log: await lastLines(reach, lines) })));
  const explain = async (): Promise<string> => {
    const logs = (await logsOf(LINES)).filter(({ log }) => log !== "");
    const told = logs.map(({ name, log }) => {
      const complaint = serverComplaint(log);
      const end = log.split("\n").slice(-5).join("\n");
      return `the end of the log of ${name}:\n${end}${complaint === "" ? "" : `\nPostgreSQL of ${name} reports: ${complaint}`}`;
    });
    return told.join("\n");
  };
  // A line from before this run proves nothing, because the settings may have been corrected since: wait for a new one.
  let refusedBefore: { readonly line: string | undefined } | undefined;
  await waitUntil({ what: "the members have a leader", deadlineSeconds, explain }, async () => {
    const why = await problemOf(inputs).catch((error: unknown) => (error as Error).message);
    if (why === undefined) return { done: true as const, value: undefined };
    const line = refusedBootstrap((await logsOf(LINES)).map(({ log }) => log));
    if (refusedBefore !== undefined && line !== undefined && line !== refusedBefore.line)
      throw Object.assign(new Error(`PostgreSQL rejects the settings:\n${line}`), { permanent: true });
    refusedBefore ??= { line };
    return { done: false as const, why };
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

  // Reported as deleted if there is no leader, so that the next `up` waits for one after it has repaired the members.
  async read(id, props) {
    const recorded = recordedState(props);
    const why = await problemOf(recorded).catch((error: unknown) => messageOf(error));
    return why === undefined ? { id, props: recorded } : {};
  },

  async update(_id, _olds, news) {
    return { outs: await awaitLeader(news) };
  },
};
