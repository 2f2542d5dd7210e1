import { Bank, type BankReport } from "./bank";
import { expectKept, type Promised } from "./promises";
import { eventually, type TestStack } from "./stack";
import { query, Writer, type WriterReport, type WriterTarget } from "./writer";

export interface Node {
  readonly group: number;
  readonly host: string;
  readonly role: string;
}

interface Loads {
  readonly bank: BankReport;
  readonly writer: WriterReport;
}

const timeOf = (moment: Date): string => moment.toISOString().slice(11, 23);

export const failures = ({ bank, writer }: Loads): readonly string[] => [...bank.errors, ...writer.errors];

/** What suites do with a distributed stack, wherever it runs: `inMember` runs a command in one of its members. */
export function distributed(
  stack: TestStack,
  inMember: (member: string, ...command: string[]) => Promise<string>,
) {
  const noted: string[] = [];
  /** Keeps a line with figures for the suite's end. */
  const note = (line: string): void => void noted.push(line);

  /** As the owner of the database. */
  const sql = async <Row extends object>(text: string): Promise<Row[]> =>
    query<Row>(await stack.target("dpg_cluster"), text);
  /** As a superuser inside a member. */
  const sqlIn = (member: string, text: string): Promise<string> =>
    inMember(member, "psql", "--host", "/run/postgresql", "--dbname", "app", "-XAtc", text);

  const leaderOf = (group: number): Promise<string> =>
    inMember(stack.member(`worker-${group}`, 0), "patroni-leader");
  const coordinatorLeader = (): Promise<string> => inMember(stack.member("coordinator", 0), "patroni-leader");

  const nodes = (): Promise<Node[]> =>
    sql<Node>(
      "SELECT groupid AS group, nodename AS host, noderole::text AS role FROM pg_dist_node WHERE groupid > 0 ORDER BY 1, 3, 2",
    );

  /** Shards by group, without those of reference tables. */
  const shards = async (): Promise<Record<string, number>> =>
    Object.fromEntries(
      (
        await sql<{ group: number; shards: number }>(
          `SELECT p.groupid AS group, count(*)::int AS shards FROM pg_dist_placement p JOIN pg_dist_shard s USING (shardid)
         JOIN pg_dist_partition t ON t.logicalrelid = s.logicalrelid WHERE t.partmethod = 'h' GROUP BY 1 ORDER BY 1`,
        )
      ).map(({ group, shards: count }) => [String(group), count]),
    );

  /** What the suites work with. */
  const prepare = async (): Promise<void> => {
    await stack.prepareWrites();
    const [writes] = await sql<{ distributed: boolean }>(
      "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'writes'::regclass) AS distributed",
    );
    if (writes?.distributed !== true) await sql("SELECT create_distributed_table('writes', 'id')");
    await Bank.open(await stack.target("dpg_cluster"));
  };

  /**
   * Runs multi-shard transfers and inserts while `change` happens and until they go on after it; then `heal`. In every case nothing
   * acknowledged is lost, the sum stays, and inserts wait for no longer than is promised.
   */
  const underLoad = async (
    promised: Promised,
    change: () => Promise<unknown>,
    heal: () => Promise<unknown> = async () => {},
  ): Promise<Loads> => {
    const name = promised.row;
    const application: WriterTarget = await stack.target("app_readwrite");
    const bank = new Bank(application);
    const writer = new Writer(application, `${name} ${Date.now()}`);
    let loads: Loads | undefined;
    try {
      bank.start();
      await writer.start();
      await change();
      await bank.awaitTransfers(50);
      await writer.awaitAcknowledged(50);
      await heal();
    } finally {
      loads = { bank: await bank.finish(), writer: await writer.finish() };
    }
    const { bank: b, writer: w } = loads;
    const wholeMs = await Bank.awaitWhole(application);
    note(
      `${name.padEnd(66)} transfers ${String(b.transfers).padStart(5)} failed ${b.failed} longest ${String(b.longestMs).padStart(5)} ms (${timeOf(b.longestEnded)})` +
        `  inserts ${String(w.acknowledged).padStart(5)} unknown ${w.unknown} gap ${String(w.longestGapMs).padStart(5)} ms (${timeOf(w.longestGapEnded)}) lost ${w.lost.length}` +
        `  whole after ${wholeMs} ms`,
    );
    expect(w.lost).toEqual([]);
    expectKept(promised, w.longestGapMs);
    return loads;
  };

  /** What the coordinator knows is what there is, and no transaction is left half-way. */
  const settled = async (groups: readonly number[]): Promise<void> => {
    await eventually("every group is registered as it is, and nothing is prepared", 120_000, async () => {
      const rows = await nodes();
      for (const group of groups) {
        const leader = await leaderOf(group);
        const seen = rows.filter((row) => row.group === group).map(({ host, role }) => `${host} ${role}`);
        const expected = [0, 1].map(
          (i) =>
            `${stack.addressOf(`worker-${group}`, i)} ${stack.member(`worker-${group}`, i) === leader ? "primary" : "secondary"}`,
        );
        expect(seen.sort()).toEqual(expected.sort());
        const prepared = await sqlIn(
          leader,
          "SELECT count(*) FROM pg_prepared_xacts WHERE prepared < now() - interval '1 second'",
        );
        expect(prepared).toBe("0");
      }
      expect(rows.map(({ group }) => group).filter((group) => !groups.includes(group))).toEqual([]);
    });
  };

  return {
    ...{ note, sql, sqlIn, leaderOf, coordinatorLeader, nodes, shards, prepare, underLoad, settled },
    report: (): void => console.log(noted.join("\n")),
  };
}
