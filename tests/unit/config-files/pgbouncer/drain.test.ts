import { resolve } from "node:path";
import { callPython } from "../../../support/python";

const DRAIN = resolve(__dirname, "../../../../config-files/pgbouncer/follower/drain.py");

const pool = (database: string, counts: Readonly<Record<string, number>>) => ({
  ...{ database, user: "app_readwrite", sv_active: 7 },
  ...{ cl_active: 0, cl_waiting: 0, cl_active_cancel_req: 0, cl_waiting_cancel_req: 0, ...counts },
});
const loggingIn = (items: number) => [
  { list: "used_clients", items: 99 },
  { list: "login_clients", items },
];

test("whom a pool that is to stop waits for: clients at work, that wait, that cancel, that log in; not the console", () => {
  const console = pool("pgbouncer", { cl_active: 3 });
  expect(
    callPython(DRAIN, "count_clients", [
      [[console], loggingIn(0)],
      [[console, pool("app", { cl_active: 2 }), pool("other", { cl_waiting: 1 })], loggingIn(0)],
      [[console, pool("app", { cl_waiting_cancel_req: 1 })], loggingIn(0)],
      [[console, pool("app", {})], loggingIn(4)],
    ]),
  ).toEqual([0, 3, 1, 4]);
});
