import { waitUntil } from "../dynamic/wait-until";
import type { JsonObject } from "./plan";
import { describePatch, planPatch, planRestart } from "./plan";
import type { PatroniRest } from "./rest";
import { readStatus } from "./status";
import { switchover } from "./switchover";
import { tell } from "../dynamic/tell";

export interface ApplyOptions {
  /** For the members to answer and to take a change, in seconds. */
  readonly deadlineSeconds: number;
  /** For one member to stop, start and stream again, in seconds. */
  readonly restartSeconds: number;
}

/** The dynamic configuration that the DCS holds; undefined when it holds none. */
export async function readConfiguration(rest: PatroniRest): Promise<JsonObject | undefined> {
  const answer = await rest.sendToAny({ method: "GET", path: "/config" });
  if (answer.status === 502) return undefined;
  if (answer.status !== 200)
    throw new Error(`Patroni answered GET /config with ${answer.status}: ${answer.text.trim()}`);
  return answer.json as JsonObject;
}

/** Makes the configuration what is declared, and waits until every member runs with it. */
export async function applyConfiguration(
  rest: PatroniRest,
  desired: JsonObject,
  before: JsonObject,
  options: ApplyOptions,
): Promise<void> {
  const changed = await patch(rest, desired, before, options);
  if (changed) await waitUntilTaken(rest, options);
  await restartWhereNeeded(rest, options);
}

/** Whether something had to be changed. */
async function patch(
  rest: PatroniRest,
  desired: JsonObject,
  before: JsonObject,
  options: ApplyOptions,
): Promise<boolean> {
  return waitUntil(
    { what: "Patroni takes the configuration", deadlineSeconds: options.deadlineSeconds },
    async () => {
      const live = await readConfiguration(rest);
      if (live === undefined) return { done: false as const, why: "the cluster has no configuration yet" };
      const wanted = planPatch(live, desired, before);
      if (wanted === undefined) return { done: true as const, value: false };
      const answer = await rest.sendToAny({ method: "PATCH", path: "/config", body: wanted });
      if (answer.status === 401) {
        throw Object.assign(new Error("Patroni refuses the REST API's user name or password"), {
          permanent: true,
        });
      }
      // 409: somebody else changed it in between; 503: it was wiped out.
      if (answer.status !== 200)
        return { done: false as const, why: `status ${answer.status}: ${answer.text.trim()}` };
      for (const line of describePatch(wanted)) tell(`Patroni: ${line}`);
      return { done: true as const, value: true };
    },
  );
}

/**
 * A member applies a change in the cycle after it has read it, and says only when it last read the DCS. When that time has moved on
 * twice, the first of the two cycles began after the change and is over.
 */
async function waitUntilTaken(rest: PatroniRest, options: ApplyOptions): Promise<void> {
  const first = await readStatus(rest);
  const seen = new Map(
    first.members.map((member) => [member.name, { last: member.dcsLastSeen ?? 0, moved: 0 }]),
  );
  await waitUntil(
    {
      what: "every member has taken the configuration",
      deadlineSeconds: options.deadlineSeconds,
      intervalMs: 700,
    },
    async () => {
      const status = await readStatus(rest);
      const behind: string[] = [];
      for (const member of status.members) {
        const record = seen.get(member.name) ?? { last: 0, moved: 0 };
        if ((member.dcsLastSeen ?? 0) > record.last) {
          record.last = member.dcsLastSeen ?? 0;
          record.moved += 1;
        }
        seen.set(member.name, record);
        if (record.moved < 2)
          behind.push(member.problem === undefined ? member.name : `${member.name} (${member.problem})`);
      }
      if (behind.length > 0) return { done: false as const, why: `not yet: ${behind.join(", ")}` };
      return { done: true as const, value: undefined };
    },
  );
}

/** Restarts what runs with old values of settings that need it: replicas first, the leader last. Nothing when nothing needs it. */
async function restartWhereNeeded(rest: PatroniRest, options: ApplyOptions): Promise<void> {
  // Two rounds are the most that settings can ask for; what is still pending after that never ends.
  const limit = 3 * rest.members.length + 3;
  for (let count = 0; ; count += 1) {
    const step = await waitUntil(
      {
        what: "the cluster is whole before the next restart",
        deadlineSeconds: options.restartSeconds,
        intervalMs: 700,
      },
      async () => {
        const next = planRestart(await readStatus(rest));
        return next.do === "wait"
          ? { done: false as const, why: next.why }
          : { done: true as const, value: next };
      },
    );
    if (step.do === "done") return;
    if (count >= limit)
      throw new Error(
        `members still wait for a restart after ${count} steps: Patroni and PostgreSQL disagree`,
      );
    if (step.do === "switchover") {
      tell(`Patroni: switchover from ${step.from}, whose replicas have restarted`);
      await switchover(rest, undefined, options.restartSeconds);
    } else {
      tell(`Patroni: restart ${step.member} (${step.why})`);
      await restart(rest, step.member, options);
    }
  }
}

async function restart(rest: PatroniRest, member: string, options: ApplyOptions): Promise<void> {
  const answer = await rest.send(member, {
    method: "POST",
    path: "/restart",
    // Without a timeout Patroni takes primary_start_timeout, and with that 0 it would fail over in the middle of the leader's restart.
    body: { restart_pending: true, timeout: options.restartSeconds },
    timeoutMs: (options.restartSeconds + 30) * 1000,
  });
  // Not pending any more is as good; "still starting" is waited for by whoever plans the next step.
  const harmless =
    answer.text.includes("restart conditions are not satisfied") || answer.text.includes("still starting");
  if (answer.status !== 200 && !harmless)
    throw new Error(`restart of ${member}: ${answer.status} ${answer.text.trim()}`);
}
