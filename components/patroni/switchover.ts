import { waitUntil } from "../dynamic/wait-until";
import { chooseCandidate } from "./plan";
import type { PatroniRest } from "./rest";
import { readStatus } from "./status";

export interface SwitchoverResult {
  readonly from: string;
  readonly to: string;
}

/**
 * Hands leadership over, to the replica that Patroni finds best when `candidate` is not given, and waits until it runs as the leader.
 * Name one only if it must be that one: Patroni then lets every other member wait two seconds before it follows, and in quorum mode
 * commits wait as long (`Ha._is_healthiest_node` and `manual_failover_process_no_leader` in Patroni's ha.py).
 * @param deadlineSeconds for the whole of it; Patroni itself takes two to three seconds
 */
export async function switchover(
  rest: PatroniRest,
  candidate?: string,
  deadlineSeconds = 60,
): Promise<SwitchoverResult> {
  const before = await readStatus(rest);
  const from = before.leader;
  if (from === undefined) throw new Error("the cluster has no leader to switch over from");
  if (candidate === undefined && chooseCandidate(before) === undefined)
    throw new Error(`no replica is fit to take over from ${from}`);
  const answer = await rest.send(from, {
    method: "POST",
    path: "/switchover",
    body: candidate === undefined ? { leader: from } : { leader: from, candidate },
    // Patroni watches for up to ten seconds before it answers.
    timeoutMs: 30_000,
  });
  // 503 also means that Patroni does not know yet how it ended.
  if (answer.status !== 200 && answer.status !== 503)
    throw new Error(`switchover from ${from}: ${answer.text.trim()}`);
  return waitUntil({ what: `another member than ${from} leads`, deadlineSeconds }, async () => {
    const status = await readStatus(rest);
    const leader = status.members.find((member) => member.name === status.leader);
    if (leader !== undefined && leader.name !== from && leader.state === "running") {
      return { done: true as const, value: { from, to: leader.name } };
    }
    return {
      done: false as const,
      why: `the leader is ${status.leader ?? "nobody"} (${leader?.state ?? "?"}); Patroni said: ${answer.text.trim()}`,
    };
  });
}
