import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../../dynamic/changed-inputs";
import { recordedState } from "../../../dynamic/recorded-state";
import { orDrift } from "../../../dynamic/drift";
import type { RestTarget } from "../../patroni/rest";
import type { SessionTarget } from "../session";
import { withSession } from "../session";
import { checkGroups } from "./check";
import type { GroupSpec } from "./plan";
import { describeMoves, formatBytes, leavingGroups, missingOf } from "./plan";
import { rebalance } from "./rebalance";
import type { OnCoordinator } from "./reconcile";
import {
  addExternal,
  awaitHealthy,
  awaitRegistered,
  mark,
  planDeparture,
  readNodes,
  readShards,
  refuseImpossible,
} from "./reconcile";
import { awaitRunning, removeGroup } from "./remove";
import { removeExternal } from "./remove-external";
import { printProgress } from "../../../dynamic/progress";
import { messageOf } from "../../../dynamic/reason";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const WORKER_GROUPS_PROVIDER_VERSION = 2;

export interface WorkerGroup extends GroupSpec {
  /** Only for groups of the stack. */
  readonly session?: Omit<SessionTarget, "password" | "ca">;
  readonly rest?: Omit<RestTarget, "password" | "ca">;
}

export interface WorkerGroupsInputs {
  /** A session on the coordinators' leader, in the distributed database. */
  readonly coordinator: Omit<SessionTarget, "password" | "ca">;
  readonly ca: string;
  /** The superuser's password, the same on every node. */
  readonly password: string;
  /** Password for Patroni's REST API, the same on every node. */
  readonly restPassword: string;
  readonly groups: readonly WorkerGroup[];
  /** Rebalance shards when a group is added. */
  readonly rebalance: boolean;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

export type WorkerGroupsOutputs = WorkerGroupsInputs & {
  /** Number of shards of each group after the last update. */
  readonly shards: Readonly<Record<string, number>>;
  /** Differences from the declaration that a refresh found. The next `up` corrects them. */
  readonly drift: readonly string[];
};

const onCoordinator =
  (inputs: WorkerGroupsInputs, deadlineSeconds: number): OnCoordinator =>
  (use) =>
    withSession({ ...inputs.coordinator, password: inputs.password, ca: inputs.ca }, use, {
      deadlineSeconds,
      // Setting node properties waits for locks: a move holds them briefly at its end, and a group without leader until it has a new one.
      lockTimeoutSeconds: 30,
      awaitsLocks: true,
    });

function reachOf(group: number, ...of: readonly (WorkerGroupsInputs | undefined)[]) {
  for (const inputs of of) {
    const known = inputs?.groups.find((other) => other.group === group);
    if (inputs && known?.session && known.rest) {
      return {
        session: { ...known.session, password: inputs.password, ca: inputs.ca },
        rest: { ...known.rest, password: inputs.restPassword, ca: inputs.ca },
      };
    }
  }
  return undefined;
}

async function shardsOf(on: OnCoordinator, groups: readonly GroupSpec[]): Promise<Record<string, number>> {
  const rows = await on(readShards);
  return Object.fromEntries(
    groups.map(({ group }) => [String(group), rows.find((row) => row.group === group)?.shards ?? 0]),
  );
}

async function reconcile(
  inputs: WorkerGroupsInputs,
  before: WorkerGroupsInputs | undefined,
): Promise<WorkerGroupsOutputs> {
  const on = onCoordinator(inputs, inputs.deadlineSeconds);
  const reachBefore = (group: number) => reachOf(group, before, inputs);
  for (const group of leavingGroups(inputs.groups, await on(readNodes))) {
    const reach = reachBefore(group);
    if (reach !== undefined) await awaitRunning(on, group, reach);
  }
  await refuseImpossible(on, inputs.groups);
  await addExternal(on, inputs.groups);
  await awaitRegistered(on, inputs.groups, inputs.deadlineSeconds);
  await awaitHealthy(on, inputs.deadlineSeconds);
  await mark(on, inputs.groups);
  const leaving = leavingGroups(inputs.groups, await on(readNodes));
  if (leaving.length > 0) await rebalance(on, true);
  for (const group of leaving) {
    const known = before?.groups.find((other) => other.group === group);
    if (known?.externalPort === undefined)
      await removeGroup(on, group, reachBefore(group), inputs.deadlineSeconds);
    else await removeExternal(on, group, inputs.deadlineSeconds);
  }
  const came = inputs.groups.some(({ group }) => !before?.groups.some((other) => other.group === group));
  if (inputs.rebalance && came) await rebalance(on, false);
  return { ...inputs, shards: await shardsOf(on, inputs.groups), drift: [] };
}

/** Differences from the declaration. */
async function look(inputs: WorkerGroupsInputs, deadlineSeconds: number): Promise<readonly string[]> {
  const on = onCoordinator(inputs, deadlineSeconds);
  return on(async (session) => {
    const nodes = await readNodes(session);
    return [
      ...inputs.groups.flatMap((group) => missingOf(group, nodes)),
      ...leavingGroups(inputs.groups, nodes).map((group) => `group ${group} is registered, but not declared`),
    ];
  });
}

/** Prints what a change of the groups would do, as the database itself plans it, or that it cannot be asked. */
async function preview(olds: WorkerGroupsOutputs, news: WorkerGroupsInputs): Promise<void> {
  const leaving = olds.groups.filter(({ group }) => !news.groups.some((other) => other.group === group));
  const coming = news.groups.filter(({ group }) => !olds.groups.some((other) => other.group === group));
  for (const { group, hosts } of coming) {
    const next = news.rebalance ? "; then shards are moved to it in the background" : "";
    printProgress(`worker group ${group} (${hosts.join(", ")}) joins${next}`);
  }
  if (leaving.length === 0) return;
  try {
    const on = onCoordinator(olds, 0);
    const shards = await on(readShards);
    for (const { group } of leaving) {
      const row = shards.find((other) => other.group === group);
      printProgress(
        `worker group ${group} is drained of ${row?.shards ?? 0} shard(s), ${formatBytes(row?.bytes ?? 0)}, and removed; its volumes are kept`,
      );
    }
    const { moves, problems } = await planDeparture(on, news.groups);
    for (const line of describeMoves(moves)) printProgress(line);
    for (const problem of problems) printProgress(`rejected: ${problem}`);
  } catch (error) {
    const reason = messageOf(error);
    printProgress(`cannot determine which shards would be moved: ${reason}`);
  }
}

export const workerGroupsProvider: dynamic.ResourceProvider<WorkerGroupsInputs, WorkerGroupsOutputs> = {
  check: (olds, news) =>
    Promise.resolve({
      inputs: news,
      failures: checkGroups((olds as { groups?: readonly GroupSpec[] }).groups, news.groups),
    }),

  async diff(_id, olds, news) {
    const names = ["coordinator", "ca", "password", "restPassword", "groups", "providerVersion"];
    const { changed } = changedInputs(olds, news, names);
    if (changed.includes("groups")) await preview(olds, news);
    if (changed.length > 0 || olds.drift.length > 0) return { changes: true, replaces: [] };
    try {
      const wrong = await look(news, 0);
      for (const line of wrong) printProgress(line);
      return { changes: wrong.length > 0, replaces: [] };
    } catch (error) {
      printProgress(`cannot read the nodes: ${messageOf(error)}`);
      return { changes: true, replaces: [] };
    }
  },

  async create(inputs) {
    return { id: "worker-groups", outs: await reconcile(inputs, undefined) };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    return orDrift(id, recorded, async () => ({
      id,
      props: { ...recorded, drift: await look(recorded, 15) },
    }));
  },

  async update(_id, olds, news) {
    return { outs: await reconcile(news, olds) };
  },

  delete(_id, props) {
    const numbers = props.groups.map(({ group }) => group).join(", ");
    printProgress(`worker groups ${numbers} are left as they are, with their shards`);
    return Promise.resolve();
  },
};
