import { permanent, waitUntil } from "../../dynamic/wait-until";
import { cannotHandOver } from "./plan";
import type { PatroniRest } from "./rest";
import { readStatus } from "./status";

export interface SwitchoverOptions {
  /**
   * The new leader. Default: Patroni selects the best one. Only name one if it must be that one: Patroni then makes all other members wait two
   * seconds before they follow it, and in quorum mode commits wait as long (`Ha._is_healthiest_node` and
   * `manual_failover_process_no_leader` in Patroni's ha.py).
   */
  readonly candidate?: string;
  /** The leader that the caller wants to replace. If another member leads already, there is nothing to do. Default: the current leader. */
  readonly from?: string;
  /** Seconds that the switchover may take; Patroni itself needs two to three. Default 60. */
  readonly deadlineSeconds?: number;
}

export interface SwitchoverResult {
  readonly from: string;
  readonly to: string;
}

/**
 * Performs a switchover and waits until the new leader runs. Requests it when Patroni would grant it, and repeats the request if it is refused
 * for a temporary reason: a restarted replica streams for a moment before the leader counts it as synchronous.
 */
export async function switchover(
  rest: PatroniRest,
  { candidate, from: leads, deadlineSeconds = 60 }: SwitchoverOptions = {},
): Promise<SwitchoverResult> {
  const from = leads ?? (await readStatus(rest)).leader;
  if (from === undefined)
    throw new Error("cannot switch over: the cluster has no leader (docs/runbooks/no-leader.md)");
  let said = "";
  const look = async (): Promise<{ to: string } | { why: string; ask: boolean }> => {
    const status = await readStatus(rest);
    const leader = status.members.find((member) => member.name === status.leader);
    if (leader === undefined) return { why: "the cluster has no leader", ask: false };
    if (leader.name !== from) {
      if (leader.state === "running") return { to: leader.name };
      return {
        why: `${leader.name} is the leader, but its PostgreSQL is in state ${leader.state ?? "unknown"}`,
        ask: false,
      };
    }
    const obstacle = cannotHandOver(status, candidate);
    if (obstacle?.forGood === true) throw permanent(`cannot switch over from ${from}: ${obstacle.why}`);
    return { why: obstacle?.why ?? `${from} is still the leader`, ask: obstacle === undefined };
  };
  return waitUntil({ what: `switchover from ${from}`, deadlineSeconds }, async () => {
    let seen = await look();
    if ("ask" in seen && seen.ask) {
      const request = {
        method: "POST",
        path: "/switchover",
        body: candidate === undefined ? { leader: from } : { leader: from, candidate },
        // Patroni waits up to twenty seconds for the result before it answers.
        timeoutMs: 30_000,
      } as const;
      // Any member accepts the request; the leader reads it from the DCS.
      const answer = await (rest.members.includes(from) ? rest.send(from, request) : rest.sendToAny(request));
      said = answer.text.trim();
      // 412 and 503 depend on the state of the cluster. Any other refusal is final: it concerns the request or the credentials.
      if (![200, 412, 503].includes(answer.status))
        throw permanent(
          `cannot switch over from ${from}: Patroni answers with status ${answer.status}: ${said}`,
        );
      seen = await look();
    }
    if ("to" in seen) return { done: true as const, value: { from, to: seen.to } };
    return {
      done: false as const,
      why: said === "" ? seen.why : `${seen.why}; Patroni's last answer: ${said}`,
    };
  });
}
