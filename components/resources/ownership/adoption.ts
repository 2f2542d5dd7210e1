/** What a state takes over from a cluster that it adopts. Pure: the provider reads from the cluster. */
import type { SecretFiles } from "../../reach/existing-cluster";

/** In place of a password in the settings: a new one is generated, which applications must get. */
export const NEW_PASSWORD = "new";

/** A cluster's secrets from before its adoption, kept in the new owner's state. All of it is secret. */
export interface Former {
  /** Certificates and keys from the former authority, by workload. */
  readonly certificates: Readonly<Record<string, { readonly "tls.crt": string; readonly "tls.key": string }>>;
  /** Patroni's user in etcd, if it differs from that of a cluster that was never adopted. */
  readonly etcdUser?: string;
  /** Password of etcd's `root`. */
  readonly etcdRoot: string;
  /** Passwords that stay valid, by role. */
  readonly roles: Readonly<Record<string, string>>;
}

export interface Adoption {
  /** PEM of the authority that members and clients trusted. */
  readonly authority: string;
  readonly former: Former;
  /** Roles that get a new password, which their applications need. */
  readonly told: readonly string[];
}

export interface Asked {
  /** The cluster's secrets. */
  readonly secrets: Readonly<Record<string, SecretFiles>>;
  /** Password verifiers of the application's roles in PostgreSQL, by role. */
  readonly verifiers: Readonly<Record<string, string>>;
  /** By role: its password, or `NEW_PASSWORD`. */
  readonly passwords: Readonly<Record<string, string>>;
  /** Whether the verifier belongs to the password. */
  readonly matches: (password: string, verifier: string) => boolean;
  /** The role of the pools, whose password is among the pools' secrets. */
  readonly poolRole: string;
}

/** What is taken over, or all problems. */
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
        `the secret ${secret} with the file ${file} is missing, but a cluster must run to be adopted: start its members first`,
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
        `adopt.passwords.${role} is missing: the database stores only its verifier. Set the password that applications use, or "${NEW_PASSWORD}" to generate one and pass it on to them`,
      );
    else if (given === NEW_PASSWORD) told.push(role);
    else if (matches(given, verifier)) roles[role] = given;
    else
      problems.push(
        `adopt.passwords.${role} is not the password of ${role} in the database: applications would be locked out. Set the right one, or "${NEW_PASSWORD}"`,
      );
  }
  for (const role of Object.keys(passwords).filter((name) => verifiers[name] === undefined))
    problems.push(`adopt.passwords.${role}: the database has no role of this name with a password`);
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
