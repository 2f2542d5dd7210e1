import { onPath } from "../../commands/engine";
import { TestStack } from "../support/stack";
import { imageRounds, membersRounds, pairs, sizesTrial } from "./sizes";

interface Sizes {
  readonly members: number;
  readonly etcd: number;
}

const withMembers = (members: number): Sizes => ({ members, etcd: 1 });

export const trial = sizesTrial<Sizes>({
  description: "every change of size, and every operation in a group of any size, comes about in one go",
  missing: () => (onPath("docker") ? undefined : "there is no docker on PATH"),
  stack: () =>
    new TestStack({
      ...{ name: "sizes", cluster: "pg-sizes", folder: "sizes" },
      ports: { write: 21070, read: 21071, statistics: 21072 },
      over: { citus: "off", proxy: { writePools: 1, readPools: 1, entries: 1 } },
    }),
  rounds: [
    ...membersRounds(withMembers),
    ...imageRounds(withMembers),
    ...pairs([1, 3, 5]).map(
      ([from, to]) =>
        [
          `etcd ${from} to ${to}`,
          { from: { members: 2, etcd: from }, to: { members: 2, etcd: to } },
        ] as const,
    ),
  ],
  settings: ({ members, etcd }) => ({ etcd: { members: etcd }, patroni: { members } }),
  groups: ({ members }) => ({ patroni: members }),
  prepare: (stack) => stack.prepareWrites(),
});
