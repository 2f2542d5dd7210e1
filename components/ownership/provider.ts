import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../dynamic/changed-inputs";
import { tell } from "../dynamic/tell";
import { isUnknown } from "../dynamic/unknown-value";
import { markStore, type OwnerPlace, type Seen } from "../platform/owner-place";
import { type Claim, planOwnership, type Verdict } from "./plan";

export interface OwnerArgs {
  readonly place: OwnerPlace;
  readonly stack: string;
  readonly project: string;
}

export interface OwnerInputs extends OwnerArgs {
  /** The random id of this state, made by `check` and kept ever after. */
  readonly owner: string;
  /** Why a state that cannot prove that it knows the cluster's secrets is refused; empty when nothing needs to be proved. */
  readonly unproven: string;
}

/** For people. */
export const whereOf = (place: OwnerPlace): string =>
  place.via === "docker"
    ? `the volume ${place.cluster}-owner`
    : `the ConfigMap ${place.cluster}-owner of the namespace ${place.namespace}`;

const claimOf = ({ place, stack, project, owner }: Omit<OwnerInputs, "unproven">, known: boolean): Claim => ({
  ...{ cluster: place.cluster, owner, known, stack, project },
  where: whereOf(place),
});

async function look(place: OwnerPlace): Promise<Seen> {
  try {
    return await markStore(place).look();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `it cannot be seen whose the cluster ${place.cluster} is, so nothing is changed: ${reason}`,
      { cause: error },
    );
  }
}

const decide = async (inputs: Omit<OwnerInputs, "unproven">, known: boolean): Promise<Verdict> =>
  planOwnership(claimOf(inputs, known), await look(inputs.place));

const INPUTS = ["place", "stack", "project", "owner", "unproven"] as const;

/** A singleton: the serialiser and the provider server cache by object and by text. */
export const ownerProvider: dynamic.ResourceProvider<OwnerInputs, OwnerInputs> = {
  /** In the preview, too, and before anything else of the cluster is registered. */
  async check(olds: Partial<OwnerInputs>, news: OwnerArgs) {
    const { randomUUID } = require("node:crypto") as typeof import("node:crypto");
    const owner = olds.owner ?? randomUUID();
    const inputs = { ...news, owner };
    const verdict = await decide(inputs, olds.owner !== undefined && olds.unproven === "");
    const unproven = verdict.verdict === "unproven" ? verdict.refusal : "";
    const failures = verdict.verdict === "refused" ? [{ property: "cluster", reason: verdict.refusal }] : [];
    return { inputs: { ...inputs, unproven }, failures };
  },

  diff(_id, olds, news) {
    return Promise.resolve({ changes: changedInputs(olds, news, INPUTS).changed.length > 0, replaces: [] });
  },

  create: (inputs) => Promise.resolve({ id: inputs.owner, outs: inputs }),
  update: (_id, _olds, news) => Promise.resolve({ outs: news }),
  // The mark stays with the data.
  delete: () => Promise.resolve(),
};

export interface MarkArgs extends OwnerArgs {
  readonly owner: string;
  /** Of the `ClusterOwner`, where nothing else in the state proves that the cluster is known. */
  readonly unproven?: string;
}

export interface MarkInputs extends MarkArgs {
  /** Whether the mark is there, as `check` saw it. */
  readonly marked: boolean;
}

const MARK_INPUTS = ["place", "stack", "project", "owner"] as const;

async function mark(inputs: MarkInputs): Promise<void> {
  const { owner, stack, project, place } = inputs;
  await markStore(place).write((found) => {
    // Somebody may have written it since `check` looked.
    const verdict = planOwnership(claimOf(inputs, true), { data: [], ...(found && { mark: found }) });
    if (verdict.verdict !== "ours") throw new Error(verdict.refusal);
    return { owner, stack, project, since: found?.since ?? new Date().toISOString() };
  });
}

export const markProvider: dynamic.ResourceProvider<MarkInputs, MarkInputs> = {
  async check(olds: Partial<MarkInputs>, news: MarkArgs) {
    const { mark: seen } = await look(news.place);
    const refusal = olds.owner === undefined && !isUnknown(news.unproven) ? (news.unproven ?? "") : "";
    return {
      inputs: { ...news, marked: seen?.owner === news.owner },
      failures: refusal === "" ? [] : [{ property: "cluster", reason: refusal }],
    };
  },

  // A mark that was lost, with its volume or its object, is written again.
  diff(_id, olds, news) {
    const { changed } = changedInputs(olds, news, MARK_INPUTS);
    return Promise.resolve({ changes: changed.length > 0 || !news.marked, replaces: [] });
  },

  async create(inputs) {
    await mark(inputs);
    return { id: inputs.owner, outs: inputs };
  },

  async update(_id, _olds, news) {
    await mark(news);
    return { outs: news };
  },

  // Beside data it stays, to tell the next one whose they are. Without, there is nothing to own; nor is that worth a `down` that fails.
  async delete(_id, { place, owner }) {
    const store = markStore(place);
    try {
      const { mark: seen, data } = await store.look();
      if (data.length === 0 && seen?.owner === owner) await store.remove();
    } catch (error) {
      tell(`${whereOf(place)} stays: ${error instanceof Error ? error.message : String(error)}`);
    }
  },
};
