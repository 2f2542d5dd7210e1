/** Waits until members are ready. */
import type Dockerode from "dockerode";
import { lastLines } from "../../reach/last-lines";
import { dockerEngine, execIn, type MemberState, memberState } from "../../reach/docker/engine";
import { printProgress } from "../../dynamic/progress";

/** A member to wait for. */
export interface AwaitedMember {
  readonly container: string;
  /** Its readiness check. Docker first runs it after a whole interval; running it ourselves saves that time. */
  readonly readiness: { readonly command: readonly string[]; readonly timeoutSeconds: number };
}

/** After this many restarts during the wait, a container is not expected to become ready. */
const HOPELESS_RESTARTS = 5;
/** The same after it was seen stopped this often in a row. Once is normal between two restarts. */
const HOPELESS_HALTS = 6;

/**
 * Waits until every member is ready. Fails after the deadline, or as soon as one of them has stopped or restarts repeatedly,
 * with the state and the last log lines of the members that are not ready.
 */
export async function waitReady(
  engine: Dockerode,
  what: string,
  members: readonly AwaitedMember[],
  deadlineSeconds: number,
): Promise<void> {
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  let waiting = members.map((member) => ({ member, firstRestarts: -1, halts: 0 }));
  let printed = started;
  for (;;) {
    const began = Date.now();
    const looked = await Promise.all(
      waiting.map(async (entry) => {
        const state = await memberState(engine, entry.member.container);
        return { ...entry, state, ready: await isReady(engine, entry.member, state) };
      }),
    );
    const unready = looked
      .filter(({ ready }) => !ready)
      .map((entry) => ({
        ...entry,
        firstRestarts: entry.firstRestarts < 0 ? entry.state.restarts : entry.firstRestarts,
        halts: isHalted(entry.state) ? entry.halts + 1 : 0,
      }));
    if (unready.length === 0) return;
    const hopeless = unready.some(
      ({ state, firstRestarts, halts }) =>
        state.restarts - firstRestarts >= HOPELESS_RESTARTS || halts >= HOPELESS_HALTS,
    );
    if (hopeless || seconds() >= deadlineSeconds) {
      const reason = hopeless ? `gave up after ${seconds()} s` : `timed out after ${deadlineSeconds} s`;
      const counted = `${members.length - unready.length} of ${members.length} ready`;
      const details = await Promise.all(
        unready.map(({ member, state }) => describeMember(member.container, state)),
      );
      throw new Error(`${what}: ${counted}, ${reason}.\n${details.join("\n")}`);
    }
    if (Date.now() - printed >= 10_000) {
      printed = Date.now();
      const names = unready
        .map(({ member, state }) => `${member.container} (${stateText(state)})`)
        .join(", ");
      printProgress(`${what}: waiting for ${names}, ${seconds()} s of at most ${deadlineSeconds} s`);
    }
    waiting = unready;
    // On a busy machine checks are slow because the members are working, and must not take half of the CPU time from them.
    const pause = Math.min(Math.max(400, Date.now() - began), 2000);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

const isHalted = ({ status }: MemberState): boolean => status !== "running" && status !== "restarting";

/**
 * Waits as part of an update. A failure is reported as "updated, but not initialised": the state then contains the attempted inputs, so that
 * the next up waits again in any case, even if it reverts them.
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

/** Whether Docker reports it as healthy, or has not run the check yet and the check passes. */
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

/** A member's state and the end of its log, for an error message. */
export async function describeMember(container: string, state: MemberState): Promise<string> {
  const log = state.status === "missing" ? "" : await lastLines({ via: "docker", container }, 15);
  return `  ${container}: ${stateText(state)}${log === "" ? "" : `; the end of its log:\n${log}`}`;
}

export function stateText(state: MemberState): string {
  if (state.status === "missing") return "the container does not exist (refresh, then up, recreates it)";
  const health = state.status === "running" ? `, health ${state.health}` : `, exit code ${state.exitCode}`;
  return `${state.status}${health}${state.restarts > 0 ? `, restarted ${state.restarts} times` : ""}`;
}
