import { withCitus } from "../support/citus";
import { distributed } from "../support/distributed";
import { docker, TestStack } from "../support/stack";
import { imageRounds, membersRounds, sizesTrial } from "./sizes";

/** The coordinators and the worker group have as many members, and what is done is done to both at once. */
export const trial = sizesTrial<number>({
  description: "coordinators and workers change their sizes, and are operated in groups of any size",
  missing: () => (withCitus ? undefined : "there is no package of Citus on this machine"),
  stack: () =>
    new TestStack({
      ...{ name: "sizes-citus", cluster: "pg-grown", folder: "sizes-citus" },
      ports: { write: 21120, read: 21121, statistics: 21122 },
      over: {
        ...{ citus: "required", etcd: { members: 1 }, proxy: { writePools: 1, readPools: 1, entries: 1 } },
      },
    }),
  rounds: [...membersRounds((members) => members), ...imageRounds((members: number) => members)],
  settings: (members) => ({ coordinator: { members }, workers: { groups: 1, members } }),
  groups: (members) => ({ coordinator: members, "worker-1": members }),
  prepare: (stack) =>
    distributed(stack, (member, ...command) => docker("exec", member, ...command)).prepare(),
});
