import { printProgress } from "../../dynamic/progress";
import { lastLines } from "../../reach/last-lines";
import { applyConfiguration, type ApplyOptions, readConfiguration } from "./apply";
import { judge, notApplied } from "./judge";
import {
  concernsPostgres,
  describeRefusals,
  type JudgedGroup,
  patched,
  questionOf,
  serverComplaint,
} from "./judge-plan";
import { type JsonObject, planPatch } from "./plan";
import type { PatroniRest, RestMember } from "./rest";
import { type ClusterStatus, readStatus } from "./status";
import { messageOf } from "../../dynamic/reason";

/** Validates a configuration before it is applied, and reverts it if PostgreSQL rejects it afterwards. */

/** Seconds that a member's PostgreSQL may be down with an error in its log before it is considered unable to start. */
const PATIENCE_SECONDS = 15;
const LINES = 60;

/**
 * Like `applyConfiguration`, but a configuration that PostgreSQL rejects is not written. If a server rejects it all the same, on reload or
 * when the first replica restarts, the change is reverted, unless the configuration has been changed again meanwhile.
 * @param judged default: no validation beforehand, for groups whose images are not built by this project
 */
export async function applyGuarded(
  rest: PatroniRest,
  members: readonly RestMember[],
  desired: JsonObject,
  before: JsonObject,
  options: ApplyOptions,
  judged?: { readonly group: JudgedGroup; readonly extensionsChanged: boolean },
): Promise<void> {
  const live = await readConfiguration(rest).catch(() => undefined);
  const patch = live === undefined ? undefined : planPatch(live, desired, before);
  const concerns = patch !== undefined && concernsPostgres(patch);
  if (judged !== undefined && (concerns || judged.extensionsChanged))
    await refuseBadOnes(rest, members, desired, live, judged.group);
  const noticed = new Map<string, number>();
  try {
    await applyConfiguration(rest, desired, before, {
      ...options,
      holds: async () => {
        const refused = concerns ? (await notApplied(members)).filter(({ waits }) => waits !== true) : [];
        if (refused.length > 0)
          throw new Error(
            refused
              .map(({ member, said }) => `${member} does not apply its configuration files: ${said}`)
              .join("\n"),
          );
      },
      hopeless: (status) => hopeless(status, members, noticed),
    });
  } catch (error) {
    if (live === undefined || patch === undefined || !concerns) throw error;
    const words = [(error as Error).message, ...(await complaints(rest, members))].filter(
      (text, index, all) => all.findIndex((other) => other.includes(text)) === index,
    );
    throw new Error(`${words.join("\n")}\n${await takenBack(rest, live, patch, options)}`, { cause: error });
  }
}

async function refuseBadOnes(
  rest: PatroniRest,
  members: readonly RestMember[],
  desired: JsonObject,
  live: JsonObject | undefined,
  group: JudgedGroup,
): Promise<void> {
  const leader = (await readStatus(rest).catch(() => undefined))?.leader;
  const question = questionOf(desired, live, group);
  const judgement = await judge(members, leader, question);
  if (judgement.by === undefined)
    throw new Error(
      `cannot check whether PostgreSQL accepts the configuration, because no member can run postgres-judge; nothing was changed: ${judgement.why}`,
    );
  if (judgement.refusals.length > 0)
    throw new Error(describeRefusals(judgement.refusals, question, group.section));
}

/** Why waiting for the members is pointless; undefined if they may still recover. */
async function hopeless(
  status: ClusterStatus,
  members: readonly RestMember[],
  noticed: Map<string, number>,
): Promise<string | undefined> {
  const now = Date.now();
  for (const { name, problem, state } of status.members) {
    if (problem !== undefined || state === "running") {
      noticed.delete(name);
      continue;
    }
    const since = noticed.get(name) ?? now;
    noticed.set(name, since);
    const member = members.find((other) => other.name === name);
    if (member === undefined || now - since < PATIENCE_SECONDS * 1000) continue;
    const complaint = serverComplaint(await lastLines(member.reach, LINES));
    if (complaint !== "") return `PostgreSQL of ${name} does not start: ${complaint}`;
  }
  return undefined;
}

/** The startup errors of servers that are not running. */
async function complaints(rest: PatroniRest, members: readonly RestMember[]): Promise<readonly string[]> {
  const status = await readStatus(rest).catch(() => undefined);
  const down = (status?.members ?? []).filter(
    ({ problem, state }) => problem === undefined && state !== "running",
  );
  const told = await Promise.all(
    members
      .filter(({ name }) => down.some((other) => other.name === name))
      .map(async ({ name, reach }) => ({ name, complaint: serverComplaint(await lastLines(reach, LINES)) })),
  );
  return told.flatMap(({ name, complaint }) =>
    complaint === "" ? [] : [`PostgreSQL of ${name} does not start: ${complaint}`],
  );
}

/** Restores the previous configuration. Returns the outcome, for the error message. */
async function takenBack(
  rest: PatroniRest,
  live: JsonObject,
  patch: JsonObject,
  options: ApplyOptions,
): Promise<string> {
  try {
    const now = (await readConfiguration(rest)) ?? {};
    const ours = patched(live, patch);
    if (planPatch(now, live, now) === undefined) return "The configuration is the same as before the change.";
    if (planPatch(now, ours, now) !== undefined)
      return "The change was not reverted, because the configuration has been changed again meanwhile.";
    printProgress("Patroni: reverting the change");
    await applyConfiguration(rest, live, now, options);
    return "The change was reverted, and every member is healthy with the previous configuration.";
  } catch (error) {
    return `Reverting the change failed: ${messageOf(error)}`;
  }
}
