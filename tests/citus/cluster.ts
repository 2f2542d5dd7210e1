import { distributed } from "../support/distributed";
import { docker, type Settings, TestStack } from "../support/stack";

/** The distributed stack that setup.ts brings up; every suite leaves it whole, with worker groups 1 and 2. */
export const stack = new TestStack({
  name: "citus",
  cluster: "pg-citus",
  ports: { write: 22432, read: 22433, statistics: 23000 },
  folder: "citus",
  over: { citus: "required", patroni: { extensions: ["vector"] } },
});
export const workers = (groups: number): Settings => ({ workers: { groups } });

export const {
  note,
  report,
  sql,
  sqlIn,
  leaderOf,
  coordinatorLeader,
  nodes,
  shards,
  prepare,
  underLoad,
  settled,
} = distributed(stack, (member, ...command) => docker("exec", member, ...command));
