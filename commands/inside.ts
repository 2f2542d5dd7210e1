/** Commands to run in members. */
import { PORTS } from "../config-files/ports";

/** etcdctl as root, in a member of etcd. */
export const etcdctl = (args: string): string[] => [
  "sh",
  "-c",
  `ETCDCTL_USER=root ETCDCTL_PASSWORD=$(cat /secrets/etcd/root-password) exec etcdctl \\
    --endpoints=https://127.0.0.1:${PORTS.etcdClient} --cacert=/secrets/tls/ca.crt ${args}`,
];

/** psql as superuser in a database member, over its socket. */
export const psqlIn = (database: string, ...args: readonly string[]): readonly string[] => [
  ...["psql", "--host", "/run/postgresql", "--dbname", database],
  ...args,
];

/** The same for one statement, with output for programs. */
export const queryIn = (database: string, sql: string): readonly string[] =>
  psqlIn(database, "--no-psqlrc", "--no-align", "--tuples-only", "--quiet", "--command", sql);

/** The same with rows as JSON. */
export const rowsIn = (database: string, sql: string): readonly string[] =>
  queryIn(database, `SELECT coalesce(json_agg(found), '[]') FROM (${sql}) found`);
