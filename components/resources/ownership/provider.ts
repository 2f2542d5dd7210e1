import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { printProgress } from "../../dynamic/progress";
import { isUnknown } from "../../dynamic/unknown-value";
import { existingCluster, markByHand, markStore } from "../../reach/by-platform";
import type { OwnerPlace, Seen } from "../../reach/owner-mark";
import { matchesVerifier } from "../sql/roles/scram";
import { type Adoption, type Former, planAdoption } from "./adoption";
import { type Claim, planOwnership } from "./plan";
import { messageOf } from "../../dynamic/reason";

export interface OwnerArgs {
  readonly place: OwnerPlace;
  readonly stack: string;
  readonly project: string;
  /** Name of the cluster, when it is to be taken over from another owner. */
  readonly adopt?: string;
  /** What applications of a cluster that is adopted log in with, by role. */
  readonly passwords?: Readonly<Record<string, string>>;
  /** Whose passwords those are. */
  readonly roles: readonly string[];
  readonly poolRole: string;
}

export interface OwnerInputs extends OwnerArgs {
  /** The random id of this state, made by `check` and kept ever after. */
  readonly owner: string;
  /** Why a state that cannot prove that it knows the cluster's secrets is refused; empty when nothing needs to be proved. */
  readonly unproven: string;
  /** The owner from whom the cluster is being adopted, `UNMARKED` without one; empty when it is not. */
  readonly adopting: string;
  /** What `adopt` was: one setting adopts once. */
  readonly adopted: string;
  /** Empty for a state that never adopted; else what is computed. */
  readonly formerAuthority?: string;
}

export interface OwnerOutputs extends Omit<OwnerInputs, "passwords"> {
  readonly former?: Former;
}

const UNMARKED = "unmarked";

/** For people. */
export const whereOf = (place: OwnerPlace): string =>
  place.via === "docker"
    ? `the volume ${place.cluster}-owner`
    : `the ConfigMap ${place.cluster}-owner of the namespace ${place.namespace}`;

type Claiming = Pick<OwnerInputs, "place" | "stack" | "project" | "owner">;

const claimOf = ({ place, stack, project, owner }: Claiming, known: boolean): Claim => ({
  ...{ cluster: place.cluster, owner, known, stack, project },
  where: whereOf(place),
});

async function look(place: OwnerPlace): Promise<Seen> {
  try {
    return await markStore(place).look();
  } catch (error) {
    throw new Error(
      `it cannot be seen whose the cluster ${place.cluster} is, so nothing is changed: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** What PostgreSQL keeps of the roles' passwords; over the socket the kernel says who asks. */
const verifiersOf = (roles: readonly string[]): readonly string[] => [
  ...["psql", "--no-psqlrc", "--host=/run/postgresql", "--username=postgres", "--dbname=postgres"],
  ...["--no-align", "--tuples-only", "--command"],
  `SELECT json_object_agg(rolname, rolpassword) FROM pg_catalog.pg_authid WHERE rolcanlogin AND rolpassword IS NOT NULL AND rolname IN (${roles
    .map((role) => `'${role.replaceAll("'", "''")}'`)
    .join(", ")})`,
];

/** Asks the cluster from inside what its next owner takes over. Fails with everything that is in the way. */
async function ask({ place, passwords = {}, roles, poolRole }: OwnerArgs): Promise<Adoption> {
  const inside = existingCluster(place);
  const members = ["patroni", "coordinator"];
  const problems: string[] = [];
  const leader = await inside.run(members, ["patroni-leader"], 10).catch((error: unknown) => {
    problems.push(`it cannot be seen who leads: ${messageOf(error)}`);
    return "?";
  });
  if (leader === "") problems.push("nobody leads: mend that first (docs/runbooks/no-leader.md)");
  const answer = await inside.run(members, verifiersOf(roles), 10).catch((error: unknown) => {
    problems.push(`PostgreSQL cannot be asked for its roles: ${messageOf(error)}`);
    return "";
  });
  const verifiers = answer === "" ? {} : (JSON.parse(answer) as Record<string, string>);
  const matches = (password: string, verifier: string): boolean => matchesVerifier(password, verifier);
  const secrets = await inside.secrets();
  const plan = planAdoption({
    secrets,
    verifiers,
    passwords: problems.length > 0 ? {} : passwords,
    matches,
    poolRole,
  });
  if (problems.length > 0 || plan.adoption === undefined)
    throw new Error(
      `the cluster ${place.cluster} cannot be adopted:\n${[...problems, ...(problems.length > 0 ? [] : plan.problems)].map((each) => `  - ${each}`).join("\n")}`,
    );
  return plan.adoption;
}

/** Says whom to tell. */
function announce({ place }: OwnerArgs, { told }: Adoption): void {
  printProgress(
    told.length === 0
      ? `${place.cluster} is taken over; every application goes on with the password that it has`
      : `${place.cluster} is taken over; these roles get another password, and whoever logs in as one of them must be told: ${told.join(", ")}`,
  );
}

/** What the state keeps: not the passwords as they were given. */
function kept(inputs: OwnerInputs, adoption?: Adoption): OwnerOutputs {
  const outs = { ...inputs };
  Reflect.deleteProperty(outs, "passwords");
  return { ...outs, ...(adoption && { former: adoption.former, formerAuthority: adoption.authority }) };
}

const INPUTS = ["place", "stack", "project", "owner", "unproven"] as const;

export const ownerProvider: dynamic.ResourceProvider<OwnerInputs, OwnerOutputs> = {
  /** In the preview, too, and before anything else of the cluster is registered. */
  async check(olds: Partial<OwnerInputs>, news: OwnerArgs) {
    const { randomUUID } = require("node:crypto") as typeof import("node:crypto");
    const owner = olds.owner ?? randomUUID();
    const { place, adopt = "" } = news;
    // What never was adopted is known to be so in a preview, too.
    const never = olds.adopting === undefined || olds.formerAuthority === "";
    const plain = { ...news, owner, unproven: "", adopting: "", adopted: adopt };
    const inputs = { ...plain, ...(never && { formerAuthority: "" }) };
    const seen = await look(place);
    const verdict = planOwnership(claimOf(inputs, olds.owner !== undefined && olds.unproven === ""), seen);
    const refuse = (reason: string) => ({ inputs, failures: [{ property: "cluster", reason }] });
    if (verdict.verdict === "ours") return { inputs, failures: [] };
    const from = seen.mark?.owner ?? UNMARKED;
    // The same setting does not adopt what somebody else has adopted since; it goes on with what it has begun.
    const asked = adopt === place.cluster && (olds.adopted !== adopt || olds.adopting === from);
    if (asked) {
      try {
        announce(news, await ask(news));
      } catch (error) {
        return refuse(messageOf(error));
      }
      return { inputs: { ...plain, adopting: from }, failures: [] };
    }
    const { refusal } = verdict;
    if (adopt === place.cluster)
      return refuse(
        `${refusal}\n(adopt.cluster adopted it before: remove it, run this again, and set it anew)`,
      );
    if (adopt !== "")
      return refuse(`${refusal}\n(adopt.cluster is ${adopt}, which is another cluster's name)`);
    return verdict.verdict === "refused"
      ? refuse(refusal)
      : { inputs: { ...inputs, unproven: refusal }, failures: [] };
  },

  diff(_id, olds, news) {
    const begins = news.adopting !== "" && olds.adopting !== news.adopting;
    const tells = news.formerAuthority === "" && olds.formerAuthority === undefined;
    return Promise.resolve({
      changes: begins || tells || changedInputs(olds, news, INPUTS).changed.length > 0,
      replaces: [],
    });
  },

  async create(inputs) {
    return { id: inputs.owner, outs: kept(inputs, inputs.adopting === "" ? undefined : await ask(inputs)) };
  },

  async update(_id, olds, news) {
    const { former, formerAuthority } = olds;
    if (news.adopting !== "" && olds.adopting !== news.adopting) return { outs: kept(news, await ask(news)) };
    return {
      outs: { ...kept(news), ...(former && { former }), ...(formerAuthority && { formerAuthority }) },
    };
  },

  // The mark stays with the data.
  delete: () => Promise.resolve(),
};

export interface MarkArgs extends Claiming {
  /** Of the `ClusterOwner`, where nothing else in the state proves that the cluster is known. */
  readonly unproven?: string;
  /** Of the `ClusterOwner`: whose mark may be overwritten. */
  readonly adopting: string;
}

export interface MarkInputs extends MarkArgs {
  /** Whether the mark is there, as `check` saw it. */
  readonly marked: boolean;
}

const MARK_INPUTS = ["place", "stack", "project", "owner"] as const;

async function mark(inputs: MarkInputs): Promise<void> {
  const { owner, stack, project, place, adopting } = inputs;
  await markStore(place).write((found) => {
    // Somebody may have written it since `check` looked.
    const verdict = planOwnership(claimOf(inputs, true), { data: [], ...(found && { mark: found }) });
    if (verdict.verdict !== "ours" && found?.owner !== adopting) throw new Error(verdict.refusal);
    const since = found?.owner === owner ? found.since : new Date().toISOString();
    return { owner, stack, project, since };
  });
}

export const markProvider: dynamic.ResourceProvider<MarkInputs, MarkInputs> = {
  async check(olds: Partial<MarkInputs>, news: MarkArgs) {
    const { mark: seen } = await look(news.place);
    const refusal = olds.owner === undefined && !isUnknown(news.unproven) ? (news.unproven ?? "") : "";
    const command = markByHand(news.place, news.owner);
    // A preview keeps no id: that of the next run is another one.
    const known =
      command === undefined
        ? ""
        : `\n  - this state made it, before there were marks, and an issuer signs its certificates: run \`up\`, which says this again, and then write the mark that it names: ${command}`;
    return {
      inputs: { ...news, marked: seen?.owner === news.owner },
      failures: refusal === "" ? [] : [{ property: "cluster", reason: refusal + known }],
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
      printProgress(`${whereOf(place)} stays: ${messageOf(error)}`);
    }
  },
};
