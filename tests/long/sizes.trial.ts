import { onPath } from "../../commands/programs";
import { TestStack } from "../support/stack";
import { etcdRounds, imageRounds, membersRounds, PLAIN, type PlainSizes, sizesTrial } from "./sizes";

const withMembers = (members: number): PlainSizes => ({ members, etcd: 1 });

export const trial = sizesTrial<PlainSizes>({
  description: "every change of size, and every operation in a group of any size, comes about in one go",
  missing: () => (onPath("docker") ? undefined : "there is no docker on PATH"),
  stack: () =>
    new TestStack({
      ...{ name: "sizes", cluster: "pg-sizes", folder: "sizes" },
      ports: { write: 21070, read: 21071, statistics: 21072 },
      over: { citus: "off", proxy: { writePools: 1, readPools: 1, entries: 1 } },
    }),
  rounds: [...membersRounds(withMembers), ...imageRounds(withMembers), ...etcdRounds([1, 3, 5])],
  ...PLAIN,
});
