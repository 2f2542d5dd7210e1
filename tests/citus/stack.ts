import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CITUS_FILE } from "../../config-files/images";
import { TestStack } from "../support/stack";

const FOLDER = join(homedir(), ".cache/postgres-cluster/packages");

/** Whether a package of Citus is on this machine: no test fetches one. */
export const withCitus = existsSync(FOLDER) && readdirSync(FOLDER).some((name) => CITUS_FILE.test(name));
if (!withCitus)
  console.log(`skipped: suites of the distributed database need a package of Citus in ${FOLDER}`);

/** The suites' distributed stack. */
export const citusStack = (): TestStack =>
  new TestStack({
    name: "citus",
    cluster: "pg-citus",
    ports: { write: 36432, read: 36433, statistics: 37000 },
    folder: "citus",
    over: { citus: "required" },
  });
