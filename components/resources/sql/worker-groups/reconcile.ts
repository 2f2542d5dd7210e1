import { waitUntil } from "../../../dynamic/wait-until";
import type { Session } from "../session";
import type { GroupSpec, Move, NodeRow, ShardsRow, Space } from "./plan";
import { leavingGroups, markSteps, missingOf, spaceProblems, toAdd } from "./plan";
import {
  addNodeStatement,
  readHealthStatement,
  readLeastFreeStatement,
  readNodesStatement,
  readPlanStatement,
  readShardsStatement,
  readSpaceStatement,
  setShardsStatement,
} from "./statements";
import { printProgress } from "../../../dynamic/progress";

/** Runs `use` in a session on the coordinators' leader, and again if the connection is lost. */
export type OnCoordinator = <T>(use: (session: Session) => Promise<T>) => Promise<T>;

export const readNodes = (session: Session): Promise<NodeRow[]> =>
  session.query<NodeRow>(readNodesStatement());
export const readShards = (session: Session): Promise<ShardsRow[]> =>
  session.query<ShardsRow>(readShardsStatement());
export const readMoves = (session: Session, drainOnly: boolean): Promise<Move[]> =>
  session.query<Move>(readPlanStatement(), [drainOnly]);

/** Adds workers outside the stack. */
export async function addExternal(on: OnCoordinator, groups: readonly GroupSpec[]): Promise<void> {
  await on(async (session) => {
    for (const { group, host, port } of toAdd(groups, await readNodes(session))) {
      printProgress(`add ${host}:${port} to the cluster as group ${group}`);
      await session.query(addNodeStatement(), [host, port, group]);
    }
  });
}

/** Waits until every group is registered as declared. Patroni registers them; doing it here too would conflict. */
export async function awaitRegistered(
  on: OnCoordinator,
  groups: readonly GroupSpec[],
  deadlineSeconds: number,
): Promise<void> {
  await waitUntil({ what: "Patroni has registered the worker groups", deadlineSeconds }, async () => {
    const nodes = await on(readNodes);
    const missing = groups.flatMap((group) => missingOf(group, nodes));
    return missing.length === 0
      ? { done: true as const, value: undefined }
      : { done: false as const, why: missing.join("; ") };
  });
}

/** Waits until every node can connect to every other one. */
export async function awaitHealthy(on: OnCoordinator, deadlineSeconds: number): Promise<void> {
  await waitUntil({ what: "every node can reach every other one", deadlineSeconds }, async () => {
    const broken = await on((session) => session.query<{ from: string; to: string }>(readHealthStatement()));
    return broken.length === 0
      ? { done: true as const, value: undefined }
      : {
          done: false as const,
          why: broken.map(({ from, to }) => `${from} cannot reach ${to}`).join("; "),
        };
  });
}

/** Sets `shouldhaveshards`: true for declared groups, false for leaving ones. */
export async function mark(
  on: OnCoordinator,
  groups: readonly GroupSpec[],
  say: (line: string) => void = printProgress,
): Promise<void> {
  await on(async (session) => {
    for (const { host, port, shards } of markSteps(groups, await readNodes(session))) {
      say(shards ? `${host} may have shards` : `${host} must not have shards any more`);
      await session.query(setShardsStatement(), [host, port, shards]);
    }
  });
}

/** Hosts on which the planned moves would fail for lack of disk space. */
export async function moveProblems(session: Session, moves: readonly Move[]): Promise<readonly string[]> {
  const [least] = await session.query<{ percent: number }>(readLeastFreeStatement());
  return spaceProblems(moves, await session.query<Space>(readSpaceStatement()), least?.percent ?? 0);
}

/** Plan for removing groups, with the problems that prevent it. */
export interface Departure {
  readonly leaving: readonly number[];
  readonly moves: readonly Move[];
  readonly problems: readonly string[];
}

/** Asks the database what it would move away from groups that are no longer declared, and whether there is enough space. Changes nothing. */
export async function planDeparture(on: OnCoordinator, declared: readonly GroupSpec[]): Promise<Departure> {
  return on(async (session) => {
    const nodes = await readNodes(session);
    const leaving = leavingGroups(declared, nodes);
    if (leaving.length === 0) return { leaving, moves: [], problems: [] };
    if (!nodes.some((node) => node.role === "primary" && !leaving.includes(node.group))) {
      const problem =
        "no registered group would be left for their shards; add groups in one change, and remove the others in the next";
      return { leaving, moves: [], problems: [problem] };
    }
    // Marked in this transaction only, so that the database plans the moves.
    await session.query("BEGIN");
    let moves: readonly Move[];
    try {
      await mark(
        (use) => use(session),
        declared,
        () => undefined,
      );
      moves = await readMoves(session, true);
    } finally {
      await session.query("ROLLBACK");
    }
    return { leaving, moves, problems: await moveProblems(session, moves) };
  });
}

/** Fails before anything is changed if the change cannot be completed. */
export async function refuseImpossible(on: OnCoordinator, declared: readonly GroupSpec[]): Promise<void> {
  const { leaving, problems } = await planDeparture(on, declared);
  if (problems.length === 0) return;
  throw new Error(
    `worker groups ${leaving.join(", ")} cannot be removed; nothing was changed: ${problems.join("; ")}. ` +
      "Free some space on the others, or remove fewer groups at a time (docs/runbooks/scale-workers.md).",
  );
}
