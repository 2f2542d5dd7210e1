import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** Which clients keep servers without using them, from what PgBouncer's console shows; Python, as the follower's other decisions. */
const STUCK = resolve(__dirname, "../../../../config-files/pgbouncer/follower/stuck.py");

interface Holder {
  readonly client: string;
  readonly pid: number;
  readonly request: string;
  readonly since: number;
}
interface Case {
  readonly pools: readonly object[];
  readonly servers: readonly object[];
  readonly kept: readonly Holder[];
  readonly now: number;
}

function look(cases: readonly Case[]): readonly { found: readonly Holder[]; overdue: readonly string[] }[] {
  const run = spawnSync("python3", [STUCK], { input: JSON.stringify(cases), encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as { found: readonly Holder[]; overdue: readonly string[] }[];
}

const NOW = 1000;
const pool = (waiting: number, database = "app") => ({
  database,
  user: "u",
  cl_waiting: waiting,
  maxwait: 0,
});
const server = (link: string, request = "12:00:00", more: object = {}) => ({
  ...{ user: "u", database: "app", state: "active", link, remote_pid: 7, request_time: request },
  ...more,
});
const holder = (client: string, since: number, request = "12:00:00"): Holder => ({
  client,
  pid: 7,
  request,
  since,
});

describe("clients that keep servers without using them (S3)", () => {
  const of = (one: Partial<Case>) =>
    look([{ pools: [pool(1)], servers: [server("a")], kept: [], now: NOW, ...one }])[0];

  test("are of no interest while nobody waits for one there, and are forgotten by that", () => {
    const kept = [holder("a", NOW - 60)];
    expect(of({ kept, pools: [pool(0)] })).toEqual({ found: [], overdue: [] });
    expect(of({ kept, pools: [pool(0), pool(3, "other")] })).toEqual({ found: [], overdue: [] });
  });

  test("are noted when others wait, and overdue when they have sent nothing for two seconds since", () => {
    expect(of({})).toEqual({ found: [holder("a", NOW)], overdue: [] });
    expect(of({ kept: [holder("a", NOW - 1.9)] })).toEqual({ found: [holder("a", NOW - 1.9)], overdue: [] });
    expect(of({ kept: [holder("a", NOW - 2)] })).toEqual({ found: [holder("a", NOW - 2)], overdue: ["a"] });
  });

  test("are none when they have sent something meanwhile, or have another server", () => {
    expect(of({ kept: [holder("a", NOW - 60, "11:59:59")] })?.overdue).toEqual([]);
    expect(
      of({ kept: [holder("a", NOW - 60)], servers: [server("a", "12:00:00", { remote_pid: 8 })] })?.overdue,
    ).toEqual([]);
  });

  test("are sought where others wait: all roles of a database share its connections, and two databases share none", () => {
    const servers = [
      server("a"),
      server("b", "12:00:00", { user: "v" }),
      server("c", "12:00:00", { database: "other" }),
    ];
    expect(of({ servers })?.found.map(({ client }) => client)).toEqual(["a", "b"]);
  });

  test("are not those whose server is free or about to be", () => {
    const servers = ["idle", "used", "tested"].map((state) => server("", "12:00:00", { state }));
    expect(of({ servers })?.found).toEqual([]);
  });
});
