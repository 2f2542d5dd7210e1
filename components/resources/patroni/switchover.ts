import { permanent, waitUntil } from "../../dynamic/wait-until";
import { cannotHandOver } from "./plan";
import type { PatroniRest } from "./rest";
import { readStatus } from "./status";

export interface SwitchoverOptions {
  /**
   * Who is to lead. Default: whom Patroni finds best. Name one only if it must be that one: Patroni then lets every other member wait two
   * seconds before it follows, and in quorum mode commits wait as long (`Ha._is_healthiest_node` and `manual_failover_process_no_leader`
   * in Patroni's ha.py).
   */
  readonly candidate?: string;
  /** Who leads now, as the caller has seen it; when somebody else leads by then, nothing is left to do. Default: who leads. */
  readonly from?: string;
  /** For the whole of it, in seconds; Patroni itself takes two to three. Default 60. */
  readonly deadlineSeconds?: number;
}

export interface SwitchoverResult {
  readonly from: string;
  readonly to: string;
}

/**
 * Hands leadership over, and waits until the new leader runs. It is asked for when Patroni will grant it, and again as long as it is refused
 * for a reason that passes: a replica that was restarted streams for a moment before the leader counts it among the synchronous ones.
 */
export async function switchover(
  rest: PatroniRest,
  { candidate, from: leads, deadlineSeconds = 60 }: SwitchoverOptions = {},
): Promise<SwitchoverResult> {
  const from = leads ?? (await readStatus(rest)).leader;
  if (from === undefined) throw new Error("the cluster has no leader to switch over from");
  let said = "";
  const look = async (): Promise<{ to: string } | { why: string; ask: boolean }> => {
    const status = await readStatus(rest);
    const leader = status.members.find((member) => member.name === status.leader);
    if (leader === undefined) return { why: "nobody leads", ask: false };
    if (leader.name !== from) {
      if (leader.state === "running") return { to: leader.name };
      return {
        why: `${leader.name} leads, and its PostgreSQL is ${leader.state ?? "not to be seen"}`,
        ask: false,
      };
    }
    const obstacle = cannotHandOver(status, candidate);
    if (obstacle?.forGood === true) throw permanent(`${from} does not hand over: ${obstacle.why}`);
    return { why: obstacle?.why ?? `${from} leads`, ask: obstacle === undefined };
  };
  return waitUntil({ what: `another member than ${from} leads`, deadlineSeconds }, async () => {
    let seen = await look();
    if ("ask" in seen && seen.ask) {
      const request = {
        method: "POST",
        path: "/switchover",
        body: candidate === undefined ? { leader: from } : { leader: from, candidate },
        // Patroni watches for up to twenty seconds before it answers.
        timeoutMs: 30_000,
      } as const;
      // Any member takes the request, and the leader reads it in the DCS.
      const answer = await (rest.members.includes(from) ? rest.send(from, request) : rest.sendToAny(request));
      said = answer.text.trim();
      // What is refused for another reason than the state of the cluster (412, 503) is refused for good: the request, or who sends it.
      if (![200, 412, 503].includes(answer.status))
        throw permanent(`${from} does not hand over, Patroni said: ${said}`);
      seen = await look();
    }
    if ("to" in seen) return { done: true as const, value: { from, to: seen.to } };
    return { done: false as const, why: said === "" ? seen.why : `${seen.why}; Patroni said: ${said}` };
  });
}
