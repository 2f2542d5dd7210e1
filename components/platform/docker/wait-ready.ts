/** Waiting for members; part of serialised providers, see engine.ts. */
import { dockerEngine, execIn, lastLines, type MemberState, memberState } from "./engine";
import type Dockerode from "dockerode";

/** A member to wait for. */
export interface AwaitedMember {
  readonly container: string;
  /** Its readiness check. Docker looks for the first time after a whole interval; asking it ourselves saves that time. */
  readonly readiness: { readonly command: readonly string[]; readonly timeoutSeconds: number };
}

/** A container that has been restarted this often while we looked will not come up. */
const HOPELESS_RESTARTS = 5;

/**
 * Waits until every member is ready. Fails after the deadline, or as soon as one of them has stopped or restarts again and again,
 * with the state and the last log lines of those that are not ready.
 */
export async function waitReady(
  engine: Dockerode,
  what: string,
  members: readonly AwaitedMember[],
  deadlineSeconds: number,
): Promise<void> {
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  const firstRestarts = new Map<string, number>();
  const stopped = new Map<string, number>();
  let waiting: AwaitedMember[] = [...members];
  let printed = started;
  for (;;) {
    const states = new Map<string, MemberState>();
    const ready = await Promise.all(
      waiting.map(async (member) => {
        const state = await memberState(engine, member.container);
        states.set(member.container, state);
        return isReady(engine, member, state);
      }),
    );
    waiting = waiting.filter((_, i) => !ready[i]);
    if (waiting.length === 0) return;
    const hopeless = waiting.filter(({ container }) => {
      const state = states.get(container)!;
      if (!firstRestarts.has(container)) firstRestarts.set(container, state.restarts);
      // "exited" is also what a container shows for a moment between two restarts.
      const halted = state.status !== "running" && state.status !== "restarting";
      stopped.set(container, halted ? (stopped.get(container) ?? 0) + 1 : 0);
      return (
        state.restarts - firstRestarts.get(container)! >= HOPELESS_RESTARTS || stopped.get(container)! >= 6
      );
    });
    if (hopeless.length > 0 || seconds() >= deadlineSeconds) {
      const reason = hopeless.length > 0 ? `gave up after ${seconds()} s` : `not within ${deadlineSeconds} s`;
      const counted = `${members.length - waiting.length} of ${members.length} ready`;
      const details = await Promise.all(
        waiting.map(({ container }) => describeMember(engine, container, states.get(container)!)),
      );
      throw new Error(`${what}: ${counted}, ${reason}.\n${details.join("\n")}`);
    }
    if (Date.now() - printed >= 10_000) {
      printed = Date.now();
      const names = waiting
        .map(({ container }) => `${container} (${stateText(states.get(container)!)})`)
        .join(", ");
      console.log(`${what}: waiting for ${names}, ${seconds()} s of at most ${deadlineSeconds} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/**
 * Waits as part of an update. A failure is reported as "updated, but not initialised": the state then holds what was tried, so that
 * the next up waits again in any case, also when it goes back to what was there before.
 */
export async function waitReadyAfterUpdate<T extends { readonly deadlineSeconds: number }>(
  id: string,
  news: T,
  members: readonly AwaitedMember[],
): Promise<{ outs: T }> {
  try {
    await waitReady(dockerEngine(), id, members, news.deadlineSeconds);
  } catch (error) {
    const { message } = error as Error;
    throw Object.assign(new Error(message), { id, properties: { ...news }, reasons: [message] });
  }
  return { outs: news };
}

/** Docker says healthy, or has not looked yet and the check passes. */
export async function isReady(
  engine: Dockerode,
  member: AwaitedMember,
  state: MemberState,
): Promise<boolean> {
  if (state.status !== "running") return false;
  if (state.health !== "starting") return state.health === "healthy";
  try {
    const { command, timeoutSeconds } = member.readiness;
    return (await execIn(engine, member.container, command, timeoutSeconds)).exitCode === 0;
  } catch {
    return false;
  }
}

/** What is known about a member, for an error message. */
export async function describeMember(
  engine: Dockerode,
  container: string,
  state: MemberState,
): Promise<string> {
  const log = state.status === "missing" ? "" : await lastLines(engine, container, 15);
  return `  ${container}: ${stateText(state)}${log === "" ? "" : `; the end of its log:\n${log}`}`;
}

export function stateText(state: MemberState): string {
  if (state.status === "missing") return "there is no such container (refresh, then up, makes it again)";
  const health = state.status === "running" ? `, health ${state.health}` : `, exit code ${state.exitCode}`;
  return `${state.status}${health}${state.restarts > 0 ? `, restarted ${state.restarts} times` : ""}`;
}
