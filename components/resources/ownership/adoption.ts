/** What a state that adopts a cluster takes over from it. Pure: the provider reads what the cluster tells. */
import type { SecretFiles } from "../../reach/existing-cluster";

/** Written in a setting in place of a password: another one is made, and applications must be told. */
export const NEW_PASSWORD = "new";

/** What a cluster was before it was adopted, kept in the state of the one that did. All of it is secret. */
export interface Former {
  /** Certificates and keys of the former authority, by the workload that shows them. */
  readonly certificates: Readonly<Record<string, { readonly "tls.crt": string; readonly "tls.key": string }>>;
  /** The user of Patroni in etcd, if it is not called as in a cluster that was never adopted. */
  readonly etcdUser?: string;
  /** Password of etcd's `root`. */
  readonly etcdRoot: string;
  /** Passwords that go on being good, by role. */
  readonly roles: Readonly<Record<string, string>>;
}

export interface Adoption {
  /** PEM of the authority that members and clients trusted. */
  readonly authority: string;
  readonly former: Former;
  /** Roles that get another password: whoever logs in as one of them must be told. */
  readonly told: readonly string[];
}

export interface Asked {
  /** The cluster's secrets. */
  readonly secrets: Readonly<Record<string, SecretFiles>>;
  /** What PostgreSQL keeps of the passwords of the application's roles, by role. */
  readonly verifiers: Readonly<Record<string, string>>;
  /** By role: its password, or `NEW_PASSWORD`. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Whether PostgreSQL made this verifier of that password. */
  readonly matches: (password: string, verifier: string) => boolean;
  /** The role of the pools, whose password lies with them. */
  readonly poolRole: string;
}

/** What is taken over, or everything that is missing. */
export function planAdoption(asked: Asked): {
  readonly adoption?: Adoption;
  readonly problems: readonly string[];
} {
  const { secrets, verifiers, passwords, matches, poolRole } = asked;
  const problems: string[] = [];
  const text = (secret: string, file: string): string => {
    const found = secrets[secret]?.[file];
    if (found === undefined)
      problems.push(
        `the cluster must run to be adopted, and its secret ${secret} with the file ${file} is not there: bring its members up first`,
      );
    return found ?? "";
  };
  const authority = text("etcd-tls", "ca.crt");
  const etcdRoot = text("etcd-root", "root-password").trim();
  const pool = text("pool", "pool_auth-password").trim();
  const roles: Record<string, string> = { [poolRole]: pool };
  const told: string[] = [];
  for (const [role, verifier] of Object.entries(verifiers).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const given = passwords[role];
    if (given === undefined)
      problems.push(
        `adopt.passwords.${role} is missing: only its verifier is in the database. Give the password that applications log in with, or "${NEW_PASSWORD}" to make another one and tell them`,
      );
    else if (given === NEW_PASSWORD) told.push(role);
    else if (matches(given, verifier)) roles[role] = given;
    else
      problems.push(
        `adopt.passwords.${role} is not the password of ${role} in the database: applications that log in would be locked out. Give the right one, or "${NEW_PASSWORD}"`,
      );
  }
  for (const role of Object.keys(passwords).filter((name) => verifiers[name] === undefined))
    problems.push(`adopt.passwords.${role}: the database has no such role with a password`);
  if (problems.length > 0) return { problems };
  const certificates: Record<string, Former["certificates"][string]> = {};
  for (const [name, files] of Object.entries(secrets)) {
    const { "tls.crt": crt, "tls.key": key } = files;
    if (name.endsWith("-tls") && crt !== undefined && key !== undefined)
      certificates[name.slice(0, -"-tls".length)] = { "tls.crt": crt, "tls.key": key };
  }
  const patroni = secrets["patroni"]?.["patroni.yml"] ?? "";
  const etcdUser = /^etcd3:\n(?: .*\n)*? +username: "?([^"\s]+)/m.exec(patroni)?.[1];
  const former = { certificates, etcdRoot, roles, ...(etcdUser !== undefined && { etcdUser }) };
  return { adoption: { authority, former, told }, problems };
}
