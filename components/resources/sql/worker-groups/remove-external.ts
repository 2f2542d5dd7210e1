import { waitUntil } from "../../../dynamic/wait-until";
import type { Session } from "../session";
import { removalOrder } from "./plan";
import type { OnCoordinator } from "./reconcile";
import { readNodes } from "./reconcile";
import { proveEmpty } from "./remove";
import {
  readPreparedStatement,
  readRecoveryIntervalStatement,
  removeNodeStatement,
  runOnNodeStatement,
  settlePreparedStatement,
} from "./statements";
import { printProgress } from "../../../dynamic/progress";

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Runs a statement on the node through the coordinator, because the node may not accept other connections. */
async function ask(session: Session, { host, port }: Place, statement: string): Promise<string> {
  const [row] = await session.query<{ success: boolean; result: string }>(runOnNodeStatement(), [
    ...[host, port, statement],
  ]);
  if (row?.success !== true) throw new Error(`${host}:${port}: ${row?.result ?? "no answer"}`);
  return row.result;
}

/**
 * Removes an empty worker outside the stack from the cluster. The node keeps running and would act as a coordinator
 * (https://github.com/citusdata/citus/issues/8855), so its 2PC recovery is disabled first, and verified to be.
 */
export async function removeExternal(
  on: OnCoordinator,
  group: number,
  deadlineSeconds: number,
): Promise<void> {
  await proveEmpty(on, group);
  const [place] = removalOrder(group, await on(readNodes));
  if (place === undefined) return;
  const what = `${place.host}:${place.port} has no prepared transactions and its 2PC recovery is disabled`;
  await waitUntil({ what, deadlineSeconds }, () =>
    on(async (session) => {
      await session.query(settlePreparedStatement());
      await ask(session, place, "ALTER SYSTEM SET citus.recover_2pc_interval = -1");
      await ask(session, place, "SELECT pg_catalog.pg_reload_conf()");
      const interval = await ask(session, place, readRecoveryIntervalStatement());
      if (interval !== "-1") return { done: false as const, why: `its 2PC recovery runs every ${interval}` };
      const count = `SELECT count(*) FROM (${readPreparedStatement()}) prepared`;
      const prepared = await ask(session, place, count);
      return prepared === "0"
        ? { done: true as const, value: undefined }
        : { done: false as const, why: `${prepared} transaction(s) are prepared` };
    }),
  );
  await proveEmpty(on, group);
  await on(async (session) => {
    printProgress(`remove ${place.host}:${place.port} from the cluster`);
    await session.query(removeNodeStatement(), [place.host, place.port]);
  });
  printProgress(
    `group ${group} was removed from the cluster; ${place.host}:${place.port} keeps running, with citus.recover_2pc_interval = -1. ` +
      "Before you use it for anything else, drop the extension citus there and reset that setting",
  );
}
