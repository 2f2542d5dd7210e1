import { TestStack } from "../support/stack";

/** The suites' distributed stack. */
export const citusStack = (): TestStack =>
  new TestStack({
    name: "citus",
    cluster: "pg-citus",
    ports: { write: 36432, read: 36433, statistics: 37000 },
    folder: "citus",
    over: { citus: "required", patroni: { extensions: ["vector"] } },
  });
