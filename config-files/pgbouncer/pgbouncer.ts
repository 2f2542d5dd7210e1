import { ini, iniSettings, type IniLine } from "../format/ini";
import {
  PGBOUNCER_MANDATORY,
  SESSION_RESET,
  pgbouncerDefaults,
  pgbouncerProblems,
  pgbouncerSizes,
  type PgbouncerSettings,
  type PoolMode,
  type PoolSizes,
} from "./settings";

/** A replica of a pool, or a member of the database: its name, and the DNS name in its certificate. */
export interface PoolReplica {
  readonly name: string;
  readonly address: string;
}

/** How the pool looks up password hashes in the database. */
export interface PoolLookup {
  /** The role that may call `pool.lookup(name)`: `pool_auth`. */
  readonly user: string;
  /** The database with that function; clients of every other database are looked up there too. */
  readonly database: string;
}

export interface PgbouncerInput {
  /** `primary`: a pool for writes. `replica`: a pool for reads. */
  readonly mode: PoolMode;
  readonly port: number;
  readonly lookup: PoolLookup;
  /** Every replica of this pool, by ordinal: a replica that gets the cancel request of another one's client forwards it. */
  readonly replicas: readonly PoolReplica[];
  /** Users that may read the statistics on the console (`SHOW ...`), for an exporter; they must be in `userlist`. Default none. */
  readonly statisticsUsers?: readonly string[];
  /**
   * Whether a client's session state (`SET`, temporary tables, session-level advisory locks) is reset after each transaction, before another
   * client gets the connection. It costs a round trip to the server per transaction, which no client waits for.
   */
  readonly resetSessions: boolean;
  readonly sizes: PoolSizes;
  readonly settings?: PgbouncerSettings;
}

const HEADING: readonly IniLine[] = [
  {
    comment:
      "Written by config-files/pgbouncer/pgbouncer.ts; the reason for each setting is in pgbouncer.md.",
  },
];

/**
 * pgbouncer.ini, the same for every replica. The two files that it includes are written in the container: `databases.ini` by the
 * follower, `replica.ini` (this replica's `peer_id`) by `pool-start`. Throws if `pgbouncerProblems` finds a problem with the settings.
 */
export function pgbouncerIni(input: PgbouncerInput): string {
  const problems = pgbouncerProblems(input.mode, input.settings ?? {});
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const { resetSessions } = input;
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
        ...iniSettings(pgbouncerSizes(input.sizes)),
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
  /** The port on which the entry asks whether this pool accepts new sessions. */
  readonly agentPort: number;
  readonly lookup: PoolLookup;
  /** Conditions that must hold on the target, as the lookup role sees them, before clients are admitted. Default none. */
  readonly gates?: readonly {
    readonly name: string;
    readonly condition: string;
    readonly waitsFor: string;
  }[];
  /** How far a replica may lag and still serve reads, in bytes of WAL. */
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
 * userlist.txt: the users whose password the pool itself must know, because the lookup needs them. The passwords are in plain text (SCRAM
 * towards the server needs that), so it is a secret, and no application's user belongs in it (CVE-2026-107350, see pgbouncer.md).
 */
export function userlist(users: readonly { readonly name: string; readonly password: string }[]): string {
  const quoted = (text: string): string => {
    if (/[\r\n\0]/.test(text))
      throw new Error("a name or password in userlist.txt must be a single line, without NUL");
    return `"${text.replaceAll('"', '""')}"`;
  };
  return users.map(({ name, password }) => `${quoted(name)} ${quoted(password)}\n`).join("");
}
