import { withCitus } from "../support/citus";
import { TestStack } from "../support/stack";
import { DISTRIBUTED, type DistributedSizes, imageRounds, membersRounds, sizesTrial } from "./sizes";

export const trial = sizesTrial<DistributedSizes>({
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
  ...DISTRIBUTED,
});
