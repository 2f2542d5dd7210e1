import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CITUS_FILE } from "../../config-files/images";

export const CITUS_PACKAGES = join(homedir(), ".cache/postgres-cluster/packages");

/** Whether a package of Citus is on this machine: no test fetches one. */
export const withCitus =
  existsSync(CITUS_PACKAGES) && readdirSync(CITUS_PACKAGES).some((name) => CITUS_FILE.test(name));
if (!withCitus) console.log(`skipped: suites that run Citus need a package of it in ${CITUS_PACKAGES}`);
