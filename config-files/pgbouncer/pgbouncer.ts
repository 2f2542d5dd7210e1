import { ini, iniSettings, type IniLine } from "../format/ini";
import {
  PGBOUNCER_MANDATORY,
  SESSION_RESET,
  pgbouncerDefaults,
  pgbouncerProblems,
  type PgbouncerSettings,
  type PoolMode,
} from "./settings";

/** A replica of a pool or a member of the database: its name and the DNS name that its certificate is for. */
export interface PoolReplica {
  readonly name: string;
  readonly address: string;
}

/** Who asks the database for password hashes, and where. */
export interface PoolLookup {
  /** The role that may call `pool.lookup(name)`: `pool_auth`. */
  readonly user: string;
  /** The database that holds the function; clients of every other database are looked up there too. */
  readonly database: string;
}

export interface PgbouncerInput {
  /** `primary`: a pool for writes. `replica`: one for reads. */
  readonly mode: PoolMode;
  readonly port: number;
  readonly lookup: PoolLookup;
  /** Every replica of this pool, in the order of their ordinals: a cancel request that reaches the wrong one is handed to the right one. */
  readonly replicas: readonly PoolReplica[];
  /** Users that may read the statistics on the console (`SHOW ...`), for an exporter; they need a line in `userlist`. Default none. */
  readonly statisticsUsers?: readonly string[];
  /**
   * Whether what a client leaves in its session (`SET`, temporary tables, locks of a session) is undone after each transaction, before the
   * connection serves somebody else. Default true. It costs a round trip to the server for each transaction, which no client waits for.
   */
  readonly resetSessions?: boolean;
  readonly settings?: PgbouncerSettings;
}

const HEADING: readonly IniLine[] = [
  {
    comment:
      "Written by config-files/pgbouncer/pgbouncer.ts; why each setting is what it is stands in pgbouncer.md.",
  },
];

/**
 * pgbouncer.ini, the same for every replica. Two files that it includes are written inside the container: `databases.ini` by the
 * follower, `replica.ini` (this replica's `peer_id`) by `pool-start`. Throws on settings that `pgbouncerProblems` has something to
 * say about.
 */
export function pgbouncerIni(input: PgbouncerInput): string {
  const problems = pgbouncerProblems(input.mode, input.settings ?? {});
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const { resetSessions = true } = input;
  const statisticsUsers = input.statisticsUsers ?? [];
  return ini([
    { lines: HEADING },
    {
      name: "pgbouncer",
      lines: [
        ...iniSettings({ listen_addr: "*", listen_port: input.port }),
        ...iniSettings(PGBOUNCER_MANDATORY),
        ...iniSettings({
          auth_user: input.lookup.user,
          auth_dbname: input.lookup.database,
          stats_users: statisticsUsers.length > 0 ? statisticsUsers.join(", ") : undefined,
        }),
        ...iniSettings({
          server_reset_query: resetSessions ? SESSION_RESET : "",
          server_reset_query_always: resetSessions ? 1 : 0,
        }),
        "",
        ...iniSettings({ ...pgbouncerDefaults(input.mode), ...input.settings }),
        "",
        { include: "/run/pgbouncer/replica.ini" },
      ],
    },
    { lines: [{ include: "/run/pgbouncer/databases.ini" }] },
    {
      name: "peers",
      lines: input.replicas.map(({ address }, ordinal) => ({
        key: `${ordinal + 1}`,
        value: `host=${address} port=${input.port}`,
      })),
    },
  ]);
}

export interface FollowerInput {
  readonly mode: PoolMode;
  /** The members of the database. */
  readonly members: readonly PoolReplica[];
  readonly patroniPort: number;
  readonly postgresPort: number;
  /** Where the entry asks whether this pool takes new sessions. */
  readonly agentPort: number;
  readonly lookup: PoolLookup;
  /** What must be true, as the looking-up role sees it on the target, before clients are let in. Default nothing. */
  readonly gates?: readonly {
    readonly name: string;
    readonly condition: string;
    readonly waitsFor: string;
  }[];
  /** How far behind a replica may be and still serve reads, in bytes of WAL. */
  readonly maximumReplicaLagBytes: number;
}

/** The follower's configuration, `follower.json`. */
export function followerJson(input: FollowerInput): string {
  const { mode, members, patroniPort, postgresPort, agentPort, lookup, maximumReplicaLagBytes } = input;
  const { gates = [] } = input;
  const plain = {
    mode,
    members: members.map(({ name, address }) => ({ name, address })),
    patroniPort,
    postgresPort,
    agentPort,
    user: lookup.user,
    database: lookup.database,
    ...(gates.length > 0 && { gates }),
    maximumReplicaLagBytes,
  };
  return JSON.stringify(plain, undefined, 2) + "\n";
}

/**
 * userlist.txt: those whose password the pool must know itself, because it cannot look up who looks up. Passwords are in the clear here (SCRAM
 * towards the server needs them), so it is a secret, and no user of an application belongs in it (CVE-2026-107350, see pgbouncer.md).
 */
export function userlist(users: readonly { readonly name: string; readonly password: string }[]): string {
  const quoted = (text: string): string => {
    if (/[\r\n\0]/.test(text)) throw new Error("a name or password in userlist.txt must be a single line");
    return `"${text.replaceAll('"', '""')}"`;
  };
  return users.map(({ name, password }) => `${quoted(name)} ${quoted(password)}\n`).join("");
}
