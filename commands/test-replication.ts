import { messageOf } from "../components/dynamic/reason";
import { type Call, printJson } from "./call";
import { type Cluster, openCluster } from "./cluster";
import { EXIT } from "./command-error";
import { chosenGroup, type Group, groups, isLeader, leader, patroniMembers } from "./groups";
import { queryIn } from "./inside";

const DEADLINE_SECONDS = 10;

/** The replay of a message on a replica. */
interface Replayed {
  readonly name: string;
  /** Time until it was replayed there; null if it was not. */
  readonly milliseconds: number | null;
  readonly problem?: string;
}

interface ReplicationTest {
  readonly group?: number;
  readonly leader: string;
  /** The WAL position of the message. */
  readonly position: string;
  readonly replicas: readonly Replayed[];
}

/** Writes a WAL message on the leader of GROUP, or of every group, and measures how long each replica takes to replay it. */
export async function testReplication(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const chosen = call.variable("GROUP") ? [await chosenGroup(cluster, call)] : await groups(cluster);
  const tests: ReplicationTest[] = [];
  for (const group of chosen) {
    const test = await testGroup(cluster, group);
    tests.push(test);
    if (!call.json) console.log(replicationLines(test).join("\n"));
  }
  const ok = tests.every(({ replicas }) => replicas.every(({ milliseconds }) => milliseconds !== null));
  if (call.json) printJson({ ok, groups: tests });
  return ok ? EXIT.done : EXIT.wrong;
}

export const replicationLines = ({
  leader: from,
  position,
  replicas,
}: ReplicationTest): readonly string[] => [
  `${from} is the leader and wrote a message at ${position}`,
  ...replicas.map(({ name, milliseconds, problem }) =>
    milliseconds === null
      ? `${name} HAS NOT replayed it after ${DEADLINE_SECONDS} s (${problem ?? ""})`
      : `${name} has replayed it after ${milliseconds} ms`,
  ),
];

async function testGroup(cluster: Cluster, group: Group): Promise<ReplicationTest> {
  const from = await leader(cluster, group);
  const message = "SELECT pg_logical_emit_message(true, 'test-replication', now()::text)";
  const position = await cluster.execute(from, queryIn("postgres", message));
  const others = (await patroniMembers(cluster, group)).filter(
    (member) => !isLeader(member) && member.Member !== from,
  );
  const started = Date.now();
  const replicas = await Promise.all(
    others.map(async ({ Member: name }): Promise<Replayed> => {
      for (;;) {
        const seen = await cluster
          .execute(name, queryIn("postgres", `SELECT pg_last_wal_replay_lsn() >= '${position}'::pg_lsn`))
          .catch((error: unknown) => messageOf(error));
        if (seen === "t") return { name, milliseconds: Date.now() - started };
        if (Date.now() - started > DEADLINE_SECONDS * 1000)
          return { name, milliseconds: null, problem: seen === "f" ? "it is behind" : seen };
      }
    }),
  );
  return {
    ...(group.number !== undefined && { group: group.number }),
    ...{ leader: from, position, replicas },
  };
}
