import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { recordedState } from "../../dynamic/recorded-state";
import { printProgress } from "../../dynamic/progress";
import { waitUntil } from "../../dynamic/wait-until";
import { readConfiguration } from "./apply";
import { chooseCandidate } from "./plan";
import { type PatroniRest, refusedCredentials, type RestTarget, withPatroni, withPatroniByAny } from "./rest";
import { readStatus } from "./status";
import { switchover } from "./switchover";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const PATRONI_MEMBERSHIP_PROVIDER_VERSION = 1;

export interface PatroniMembershipInputs {
  readonly rest: Omit<RestTarget, "password">;
  readonly password: string;
  /** How many standbys must have a transaction before it is acknowledged. */
  readonly synchronousReplicas: number;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type PatroniMembershipOutputs = PatroniMembershipInputs & {
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  readonly drift: readonly string[];
};

/** The key of the dynamic configuration, unknown to Patroni, under which `patroni-handover` finds the declared members. */
export const DECLARED_MEMBERS = "declared_members";

/** Reduces the group to the declared members: no other member leads, is a switchover candidate or is needed to confirm commits. */
export async function declareMembers(
  rest: PatroniRest,
  declared: readonly string[],
  {
    synchronousReplicas,
    deadlineSeconds,
  }: Pick<PatroniMembershipInputs, "synchronousReplicas" | "deadlineSeconds">,
): Promise<void> {
  let told = false;
  await waitUntil({ what: "Patroni knows the declared members", deadlineSeconds }, async () => {
    const live = await readConfiguration(rest);
    if (live === undefined) return { done: true, value: undefined };
    // Lowered before members leave, because commits wait for that many. Raised after new members have joined, with the rest of the configuration.
    const fewer = Number(live["synchronous_node_count"]) > synchronousReplicas;
    const known = JSON.stringify(live[DECLARED_MEMBERS]) === JSON.stringify(declared);
    if (told && known && !fewer) return { done: true, value: undefined };
    const body = {
      [DECLARED_MEMBERS]: declared,
      ...(fewer && { synchronous_node_count: synchronousReplicas }),
    };
    const answer = await rest.sendToAny({ method: "PATCH", path: "/config", body });
    if (answer.status === 401) throw refusedCredentials();
    told = answer.status === 200;
    return {
      done: false,
      why: told ? "the change is not visible yet" : `status ${answer.status}: ${answer.text.trim()}`,
    };
  });
  const leaving = rest.members.filter((name) => !declared.includes(name));
  if (leaving.length === 0) return;
  const what = `one of ${declared.join(", ")} leads, so that ${leaving.join(", ")} can be removed`;
  await waitUntil({ what, deadlineSeconds }, async () => {
    const status = await readStatus(rest);
    const { leader } = status;
    if (leader === undefined) return { done: false, why: "the cluster has no leader" };
    if (declared.includes(leader)) return { done: true, value: undefined };
    const members = status.members.filter(({ name }) => declared.includes(name));
    const candidate = chooseCandidate({ ...status, members })?.name;
    if (candidate === undefined)
      return { done: false, why: `none of them is a synchronous replica that streams from ${leader}` };
    printProgress(`Patroni: switchover from ${leader}, which is removed, to ${candidate}`);
    await switchover(rest, { from: leader, candidate, deadlineSeconds: 30 });
    return { done: false, why: `${candidate} is taking over` };
  });
}

const targetOf = ({ rest, password }: PatroniMembershipInputs): RestTarget => ({ ...rest, password });
const namesOf = ({ rest }: PatroniMembershipInputs): readonly string[] =>
  rest.members.map(({ name }) => name);

/** The new inputs with the members of both lists, because leaving members are asked too. */
function together(
  news: PatroniMembershipInputs,
  olds: PatroniMembershipInputs | undefined,
): PatroniMembershipInputs {
  const left = (olds?.rest.members ?? []).filter(({ name }) => !namesOf(news).includes(name));
  const ca =
    olds === undefined || olds.rest.ca === news.rest.ca ? news.rest.ca : `${news.rest.ca}\n${olds.rest.ca}`;
  return { ...news, rest: { ...news.rest, ca, members: [...news.rest.members, ...left] } };
}

async function declare(
  news: PatroniMembershipInputs,
  olds: PatroniMembershipInputs | undefined,
): Promise<PatroniMembershipOutputs> {
  const former = olds === undefined ? [] : [olds.password];
  await withPatroniByAny(targetOf(together(news, olds)), former, news.deadlineSeconds, async (rest) => {
    // If no member answers, there is no leader to hand over: the group is new, or must be repaired first.
    const answer = await rest.sendToAny({ method: "GET", path: "/cluster" }).catch(() => undefined);
    if (answer?.status === 200) await declareMembers(rest, namesOf(news), news);
  });
  return { ...news, drift: [] };
}

export const patroniMembershipProvider: dynamic.ResourceProvider<
  PatroniMembershipInputs,
  PatroniMembershipOutputs
> = {
  // Changed credentials reach the members later than this resource, and are no reason to contact them.
  diff(_id, olds, news) {
    const named = (inputs: PatroniMembershipInputs) => ({ ...inputs, members: inputs.rest.members });
    const { changed } = changedInputs(named(olds), named(news), ["members", "providerVersion"]);
    return Promise.resolve({ changes: changed.length > 0 || olds.drift.length > 0, replaces: [] });
  },

  // A new group has no members yet. One that is older than this resource may have members that are no longer declared.
  async create(inputs) {
    return { id: "membership", outs: await declare(inputs, undefined) };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    const declared = JSON.stringify(namesOf(recorded));
    const live = await withPatroni(targetOf(recorded), (rest) => readConfiguration(rest)).catch(
      () => undefined,
    );
    const known = live?.[DECLARED_MEMBERS];
    const drift =
      known === undefined || JSON.stringify(known) === declared
        ? []
        : [`the members declared to Patroni are ${JSON.stringify(known)} instead of ${declared}`];
    return { id, props: { ...recorded, drift } };
  },

  async update(_id, olds, news) {
    return { outs: await declare(news, olds) };
  },
};
