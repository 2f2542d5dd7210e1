import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { buildImages } from "../../commands/images";
import { withSession } from "../../components/resources/sql/session";
import { CITUS_FILE, type CitusPackage, imagesWith } from "../../config-files/images";
import { docker, orRemove } from "./docker";
import { type PostgresServer, startPostgres } from "./postgres";

export const CITUS_PACKAGES = join(homedir(), ".cache/postgres-cluster/packages");

const file = existsSync(CITUS_PACKAGES)
  ? readdirSync(CITUS_PACKAGES).find((name) => CITUS_FILE.test(name))
  : undefined;
/** The package of Citus that is on this machine: no test fetches one. */
export const citusPackage: CitusPackage | undefined =
  file === undefined
    ? undefined
    : { version: CITUS_FILE.exec(file)?.[1] ?? "", file: join(CITUS_PACKAGES, file) };
export const withCitus = citusPackage !== undefined;
if (!withCitus) console.log(`skipped: suites that run Citus need a package of it in ${CITUS_PACKAGES}`);

let built: Promise<string> | undefined;

/** The product's own image with Citus, as a stack builds it, with whatever the package needs. */
function imageWithCitus(): Promise<string> {
  const { patroni } = imagesWith({ citus: citusPackage });
  built ??= buildImages("postgres-cluster", { patroni: patroni! }).then(([image]) => image!.reference);
  return built;
}

/** A throw-away PostgreSQL with Citus in its database `postgres`, as any node knows the superuser's password of any other. */
export async function startCitus(name: string): Promise<PostgresServer & { readonly address: string }> {
  const server = await startPostgres(name, await imageWithCitus());
  return orRemove(
    () => server.remove(),
    async () => {
      server.restart("shared_preload_libraries=citus", "wal_level=logical", "max_prepared_transactions=100");
      await withSession(server.target, async (session) => {
        await session.query("CREATE EXTENSION IF NOT EXISTS citus");
        await session.query(
          "INSERT INTO pg_dist_authinfo VALUES (0, 'postgres', $1) ON CONFLICT DO NOTHING",
          [`password=${server.target.password}`],
        );
      });
      const address = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", name).trim();
      return { ...server, address };
    },
  );
}
