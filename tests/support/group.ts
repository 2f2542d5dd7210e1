import { withMembers } from "../../commands/patroni";
import type { PatroniRest } from "../../components/resources/patroni/rest";
import { PORTS } from "../../config-files/ports";
import type { Inside } from "./inside";
import { ASK_PATRONI, eventually, leaderOfWhole, type PatroniMember, type TestStack } from "./stack";

/** The members of one group: of a plain cluster, of the coordinators, or of one worker group. */
export interface MemberGroup {
  readonly members: readonly string[];
  readonly inside: Inside;
  /** Resolves with the leader's name when one leads and all others stream. */
  readonly whole: () => Promise<string>;
  /** Speaks to their Patroni as `up` does. */
  readonly withPatroni: <T>(use: (rest: PatroniRest) => Promise<T>) => Promise<T>;
}

/** The members of that workload, such as `coordinator` or `worker-1`. */
export function groupOf(stack: TestStack, workload: string, count: number): MemberGroup {
  const { inside } = stack;
  const members = Array.from({ length: count }, (_, i) => stack.member(workload, i));
  const seen = async (): Promise<readonly PatroniMember[]> => {
    let last: unknown;
    for (const member of members) {
      try {
        const said = await inside.run(member, "/usr/bin/python3", "-c", ASK_PATRONI);
        return JSON.parse(said) as PatroniMember[];
      } catch (error) {
        last = error;
      }
    }
    throw new Error(`no member answers: ${String(last)}`);
  };
  const whole = (): Promise<string> =>
    eventually(`one of ${members.join(", ")} leads, the others stream`, 180_000, async () =>
      leaderOfWhole(await seen(), count),
    );
  const targets = members.map((name, i) => ({
    ...{ name, serverName: stack.addressOf(workload, i) },
    reach: stack.reachOf(name, PORTS.patroniRest),
  }));
  return {
    ...{ members, inside, whole },
    withPatroni: (use) => withMembers(targets, (file) => inside.run(members[0] ?? "", "cat", file), use),
  };
}
