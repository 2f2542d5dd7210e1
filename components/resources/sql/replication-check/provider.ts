import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../../dynamic/changed-inputs";
import { waitUntil } from "../../../dynamic/wait-until";
import type { RestTarget } from "../../patroni/rest";
import type { SessionTarget } from "../session";
import { observe } from "./observe";
import type { Expectation, Seen, Verdict } from "./plan";
import { describeChange, judgeReplication } from "./plan";
import { printProgress } from "../../../dynamic/progress";
import { messageOf } from "../../../dynamic/reason";

/** Increase this when the checks change: the next `up` then checks again, although no input changed. */
export const REPLICATION_CHECK_PROVIDER_VERSION = 1;

export interface ReplicationCheckInputs {
  readonly target: Omit<SessionTarget, "password">;
  /** The password of `target.user`. */
  readonly password: string;
  readonly rest: Omit<RestTarget, "password" | "username">;
  readonly members: number;
  readonly synchronousReplicas: number;
  readonly maximumLagBytes: number;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type ReplicationCheckOutputs = ReplicationCheckInputs & { readonly seen: Seen };

async function look(inputs: ReplicationCheckInputs): Promise<Verdict> {
  const expectation: Expectation = {
    members: inputs.target.members.map((member) => member.name),
    synchronousReplicas: inputs.synchronousReplicas,
    maximumLagBytes: inputs.maximumLagBytes,
  };
  const observation = await observe(
    { ...inputs.target, password: inputs.password },
    // Reading needs no login.
    { ...inputs.rest, username: "", password: "" },
  );
  return judgeReplication(expectation, observation);
}

/** Waits until there are no problems. At the deadline it fails with all of them. */
async function prove(inputs: ReplicationCheckInputs): Promise<ReplicationCheckOutputs> {
  let problems: readonly string[] = [];
  try {
    const options = {
      what: "replication is as declared",
      deadlineSeconds: inputs.deadlineSeconds,
      intervalMs: 1000,
    };
    const seen = await waitUntil(options, async () => {
      const verdict = await look(inputs);
      if (verdict.healthy) return { done: true as const, value: verdict.seen };
      problems = verdict.problems;
      return { done: false as const, why: verdict.problems.join("; ") };
    });
    return { ...inputs, seen };
  } catch (error) {
    if (problems.length === 0) throw error;
    const list = problems.map((problem) => `  - ${problem}`).join("\n");
    const message = `replication still differs from the declaration after ${inputs.deadlineSeconds} s:\n${list}`;
    throw new Error(message, { cause: error });
  }
}

export const replicationCheckProvider: dynamic.ResourceProvider<
  ReplicationCheckInputs,
  ReplicationCheckOutputs
> = {
  check(_olds, news) {
    const failures: { property: string; reason: string }[] = [];
    const { members, target } = news;
    if (typeof members === "number" && Array.isArray(target.members) && members !== target.members.length) {
      failures.push({
        property: "members",
        reason: `must be the number of members in target.members, which is ${target.members.length}, got ${members}`,
      });
    }
    return Promise.resolve({ inputs: news, failures });
  },

  /** Also checks in previews, so that the plan shows new problems. Reports them and never fails. */
  async diff(_id, olds, news) {
    const names = [
      "target",
      "password",
      "rest",
      "members",
      "synchronousReplicas",
      "maximumLagBytes",
      "providerVersion",
    ];
    if (changedInputs(olds, news, names).changed.length > 0) return { changes: true, replaces: [] };
    try {
      let verdict = await look(news);
      // Do not report a replica that is just connecting.
      for (let again = 0; again < 2 && !verdict.healthy; again += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        verdict = await look(news);
      }
      const changes = verdict.healthy ? describeChange(olds.seen, verdict.seen) : verdict.problems;
      for (const line of changes) printProgress(`replication: ${line}`);
      return { changes: changes.length > 0, replaces: [] };
    } catch (error) {
      printProgress(`cannot read the replication state: ${messageOf(error)}`);
      return { changes: true, replaces: [] };
    }
  },

  async create(inputs) {
    return { id: "replication", outs: await prove(inputs) };
  },

  async update(_id, _olds, news) {
    return { outs: await prove(news) };
  },
};
