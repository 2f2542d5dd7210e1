import { execFileSync } from "node:child_process";
import { issueAuthority, issueLeaf } from "../../components/resources/certificates/issue";
import type { SessionTarget } from "../../components/resources/sql/session";
import { orRemove } from "./docker";
import { imageOf } from "./patroni";

/** PostgreSQL 17 in a throw-away container, with verified TLS, for tests of the SQL level. */
export interface PostgresServer {
  /** A superuser's session in the database `postgres`. */
  readonly target: SessionTarget;
  readonly container: string;
  /** The server's log so far. */
  log(): string;
  /** Restarts the server as `postgres -c ...` with these settings besides the usual ones. */
  restart(...settings: readonly string[]): void;
  remove(): void;
}

const SUPERUSER_PASSWORD = "superuser-of-a-throw-away-server";

function docker(args: readonly string[], input?: string): string {
  return execFileSync("docker", [...args], { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
}

/** Whether a Docker engine answers. Suites that need one say so and skip. */
export function dockerAnswers(): boolean {
  try {
    docker(["version", "--format", "{{.Server.Version}}"]);
    return true;
  } catch {
    return false;
  }
}

/** `describe` where Docker answers; elsewhere a skipped suite whose name says why. */
export function describeWithDocker(name: string, suite: () => void): void {
  if (dockerAnswers()) describe(name, suite);
  else describe.skip(`${name} (skipped: no Docker engine answers)`, suite);
}

/**
 * @param name of the container, prefixed by what the test is about
 * @param image default: the database's own, as it is on this machine
 */
export async function startPostgres(name: string, image = imageOf("patroni")): Promise<PostgresServer> {
  const authority = await issueAuthority(new Date(), { commonName: "sql-tests", lifetimeDays: 1 });
  const leaf = await issueLeaf(new Date(), {
    commonName: "postgres",
    dnsNames: ["postgres.test"],
    ipAddresses: [],
    usages: ["server"],
    lifetimeDays: 1,
    authorityCertificatePem: authority.certificatePem,
    authorityPrivateKeyPem: authority.privateKeyPem,
  });
  const remove = (): void => void docker(["rm", "--force", "--volumes", name]);
  return orRemove(remove, async () => {
    docker([
      "run",
      "--detach",
      "--init",
      "--name",
      name,
      "--publish",
      "127.0.0.1::5432",
      "--user",
      "postgres",
      "--entrypoint",
      "sleep",
      image,
      "3600",
    ]);
    const asPostgres = (script: string, input?: string): string =>
      docker(["exec", "-i", name, "bash", "-ec", script], input);
    const start = (settings: readonly string[]): void => {
      const all = [
        "listen_addresses=*",
        "ssl=on",
        "ssl_cert_file=/tmp/tls.crt",
        "ssl_key_file=/tmp/tls.key",
        "fsync=off",
        ...settings,
      ];
      const options = all.map((setting) => `-c '${setting}'`).join(" ");
      asPostgres(`/usr/lib/postgresql/17/bin/pg_ctl -w -D /tmp/data -l /tmp/log -o "${options}" start`);
    };
    asPostgres("umask 077; cat > /tmp/tls.crt", leaf.certificatePem);
    asPostgres("umask 077; cat > /tmp/tls.key", leaf.privateKeyPem);
    asPostgres(
      `cat > /tmp/password; /usr/lib/postgresql/17/bin/initdb -D /tmp/data -U postgres --pwfile=/tmp/password \\
       --auth=scram-sha-256 --locale=C.UTF-8 --encoding=UTF8 --no-sync
     echo 'hostssl all all all scram-sha-256' > /tmp/data/pg_hba.conf`,
      SUPERUSER_PASSWORD,
    );
    start([]);
    const port = Number(/:(\d+)\s*$/m.exec(docker(["port", name, "5432/tcp"]))![1]);
    return {
      container: name,
      target: {
        members: [
          { name: "only", reach: { via: "tcp", host: "127.0.0.1", port }, serverName: "postgres.test" },
        ],
        user: "postgres",
        password: SUPERUSER_PASSWORD,
        database: "postgres",
        ca: authority.certificatePem,
      },
      log: () => asPostgres("cat /tmp/log"),
      restart(...settings) {
        asPostgres("/usr/lib/postgresql/17/bin/pg_ctl -w -m fast -D /tmp/data stop");
        start(settings);
      },
      remove,
    };
  });
}
