import { waitUntil } from "../../dynamic/wait-until";
import type { JsonObject } from "./plan";
import { describePatch, planPatch } from "./plan";
import { type PatroniRest, refusedCredentials } from "./rest";
import { type RestartOptions, rollingRestart } from "./restart";
import { lastCycles } from "./status";
import { printProgress } from "../../dynamic/progress";

export interface ApplyOptions extends RestartOptions {
  /** Seconds that the members may take to answer and to apply a change. */
  readonly deadlineSeconds: number;
}

/** The dynamic configuration in the DCS; undefined if there is none yet. */
export async function readConfiguration(rest: PatroniRest): Promise<JsonObject | undefined> {
  const answer = await rest.sendToAny({ method: "GET", path: "/config" });
  if (answer.status === 502) return undefined;
  if (answer.status !== 200)
    throw new Error(`Patroni answered GET /config with ${answer.status}: ${answer.text.trim()}`);
  return answer.json as JsonObject;
}

/** Changes the configuration to the declared one and waits until every member runs with it. */
export async function applyConfiguration(
  rest: PatroniRest,
  desired: JsonObject,
  before: JsonObject,
  options: ApplyOptions,
): Promise<void> {
  const changed = await patchConfiguration(rest, desired, before, options);
  if (changed) {
    await waitUntilTaken(rest, options);
    await options.holds?.();
  }
  await rollingRestart(rest, options);
}

/** Writes the declared configuration to the DCS. Returns whether anything had to be changed. */
export async function patchConfiguration(
  rest: PatroniRest,
  desired: JsonObject,
  before: JsonObject,
  options: Pick<ApplyOptions, "deadlineSeconds">,
): Promise<boolean> {
  return waitUntil(
    { what: "Patroni accepts the configuration", deadlineSeconds: options.deadlineSeconds },
    async () => {
      const live = await readConfiguration(rest);
      if (live === undefined) return { done: false as const, why: "the cluster has no configuration yet" };
      const wanted = planPatch(live, desired, before);
      if (wanted === undefined) return { done: true as const, value: false };
      const answer = await rest.sendToAny({ method: "PATCH", path: "/config", body: wanted });
      if (answer.status === 401) throw refusedCredentials();
      // 409: it was changed by somebody else in between; 503: it was deleted.
      if (answer.status !== 200)
        return { done: false as const, why: `status ${answer.status}: ${answer.text.trim()}` };
      for (const line of describePatch(wanted)) printProgress(`Patroni: ${line}`);
      return { done: true as const, value: true };
    },
  );
}

/**
 * A member applies a change in the cycle in which it reads it, and reports only when it last read the DCS. Once that time has advanced
 * twice, the first of the two cycles began after the change and has finished.
 */
async function waitUntilTaken(rest: PatroniRest, options: ApplyOptions): Promise<void> {
  const seen = new Map(rest.members.map((name) => [name, { last: NaN, moved: 0 }]));
  await waitUntil(
    {
      what: "every member has applied the configuration",
      deadlineSeconds: options.deadlineSeconds,
      intervalMs: 700,
    },
    async () => {
      const now = await lastCycles(rest);
      const behind = [...seen].flatMap(([name, record]) => {
        const last = now.get(name);
        if (typeof last === "number") {
          if (last > record.last) record.moved += 1;
          record.last = last;
        }
        if (record.moved >= 2) return [];
        return [last instanceof Error ? `${name} (${last.message})` : name];
      });
      if (behind.length > 0) return { done: false as const, why: `not yet: ${behind.join(", ")}` };
      return { done: true as const, value: undefined };
    },
  );
}
