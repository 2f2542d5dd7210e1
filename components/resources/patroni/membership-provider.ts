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

/** Raise it when the provider does something else for the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const PATRONI_MEMBERSHIP_PROVIDER_VERSION = 1;

export interface PatroniMembershipInputs {
  readonly rest: Omit<RestTarget, "password">;
  readonly password: string;
  /** How many standbys must hold a transaction. */
  readonly synchronousReplicas: number;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type PatroniMembershipOutputs = PatroniMembershipInputs & {
  /** What a refresh found different from what was declared; the next `up` mends it. */
  readonly drift: readonly string[];
};

/** The key of the dynamic configuration, unknown to Patroni, under which `patroni-handover` finds the declared members. */
export const DECLARED_MEMBERS = "declared_members";

/** Makes the group one of the declared members: nobody else leads, is handed over to, or is waited for to confirm a commit. */
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
    // Lowered before members leave, since commits wait for as many; raised when they have come, with the rest of the configuration.
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
  const what = `one of ${declared.join(", ")} leads, before ${leaving.join(", ")} may leave`;
  await waitUntil({ what, deadlineSeconds }, async () => {
    const status = await readStatus(rest);
    const { leader } = status;
    if (leader === undefined) return { done: false, why: "nobody leads" };
    if (declared.includes(leader)) return { done: true, value: undefined };
    const members = status.members.filter(({ name }) => declared.includes(name));
    const candidate = chooseCandidate({ ...status, members })?.name;
    if (candidate === undefined)
      return { done: false, why: `none of them streams from ${leader} and is synchronous` };
    printProgress(`Patroni: switchover from ${leader}, which is removed, to ${candidate}`);
    await switchover(rest, { from: leader, candidate, deadlineSeconds: 30 });
    return { done: false, why: `${candidate} takes over` };
  });
}

const targetOf = ({ rest, password }: PatroniMembershipInputs): RestTarget => ({ ...rest, password });
const namesOf = ({ rest }: PatroniMembershipInputs): readonly string[] =>
  rest.members.map(({ name }) => name);

/** Those of both lists: who leaves is asked, too. */
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
    // Where nobody answers, nobody leads and could hand over: a new group, or one that has to be mended first.
    const answer = await rest.sendToAny({ method: "GET", path: "/cluster" }).catch(() => undefined);
    if (answer?.status === 200) await declareMembers(rest, namesOf(news), news);
  });
  return { ...news, drift: [] };
}

export const patroniMembershipProvider: dynamic.ResourceProvider<
  PatroniMembershipInputs,
  PatroniMembershipOutputs
> = {
  // Other credentials reach the members later than this, and are no reason to talk to them.
  diff(_id, olds, news) {
    const named = (inputs: PatroniMembershipInputs) => ({ ...inputs, members: inputs.rest.members });
    const { changed } = changedInputs(named(olds), named(news), ["members", "providerVersion"]);
    return Promise.resolve({ changes: changed.length > 0 || olds.drift.length > 0, replaces: [] });
  },

  // At first nobody is there whom to tell. A group that is older than this resource may have members who are to go.
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
        : [`Patroni is told of ${JSON.stringify(known)} as members`];
    return { id, props: { ...recorded, drift } };
  },

  async update(_id, olds, news) {
    return { outs: await declare(news, olds) };
  },
};
