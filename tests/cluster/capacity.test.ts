import { Crowd } from "../support/crowd";
import { logOf } from "../support/docker";
import { docker, eventually, TestStack } from "../support/stack";
import { query } from "../support/writer";

const stack = new TestStack();
const MEMBERS = 3;
/** Of each role on each endpoint: more than all pools together may open. */
const CLIENTS = 60;
const ROLES = ["app_readwrite", "app_readonly", "dpg_cluster"];

/** As the superuser in a member, who has connections of his own. */
const asked = (member: string, sql: string): Promise<string> =>
  docker("exec", member, "psql", "--host", "/run/postgresql", "--dbname", "app", "-XAtc", sql);

describe("what the pools may open fits on one member (F6, D13)", () => {
  test("a leader without replicas serves the clients of both fleets, and lets the superuser in", async () => {
    const leader = await stack.whole(MEMBERS);
    const others = [0, 1, 2].map((i) => stack.member("patroni", i)).filter((name) => name !== leader);
    const crowds: Crowd[] = [];
    const refusals = "remaining connection slots|too many (clients|connections)";
    try {
      await docker("stop", ...others);
      // Reads go to the leader when nobody else is there.
      const reader = await stack.target("app_readonly", "read");
      await eventually("the leader serves reads", 60_000, async () => {
        const [row] = await query<{ replica: boolean }>(reader, "SELECT pg_is_in_recovery() AS replica");
        if (row?.replica !== false) throw new Error("a replica answers");
      });
      for (const role of ROLES)
        for (const endpoint of ["write", "read"] as const)
          crowds.push(await Crowd.gather(await stack.target(role, endpoint), CLIENTS));
      const since = new Date().toISOString();
      const answers = crowds.map((crowd) => crowd.ask(() => "SELECT pg_sleep(1)"));
      const pooled =
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(1)'";
      const full = await eventually("the pools are full", 60_000, async () => {
        const [sessions = 0, most = 0] = (
          await asked(
            leader,
            `SELECT (${pooled}), (SELECT setting FROM pg_settings WHERE name = 'max_connections')`,
          )
        )
          .split("|")
          .map(Number);
        if (sessions < most / 2) throw new Error(`${sessions} of ${most}`);
        return { sessions, most };
      });
      console.log(`both fleets on one member: ${full.sessions} sessions of ${full.most}`);
      expect((await Promise.all(answers)).flat()).toEqual([]);
      const log = logOf(leader, "--since", since);
      expect(log.split("\n").filter((line) => new RegExp(refusals).test(line))).toEqual([]);
    } finally {
      await Promise.all(crowds.map((crowd) => crowd.disperse()));
      await docker("start", ...others);
    }
    expect(await stack.whole(MEMBERS)).toBe(leader);
  });
});
