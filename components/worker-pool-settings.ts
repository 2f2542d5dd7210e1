import { z } from "zod";
import { PORTS } from "../config-files/ports";
import { groupMembers, PATRONI_GROUP_SETTINGS } from "./patroni-group-settings";
import { checked, checkedText, count, list, flag } from "./settings/kinds";
import { over, setting, settings } from "./settings/setting";

/** The highest group number that fits into member names: `worker-100`. */
const GREATEST_GROUP = 100;
/** The highest group number that `pg_dist_node` can store. */
const GREATEST_OUTSIDE = 2 ** 31 - 1;

const groupNumber = (greatest: number) =>
  count(1, greatest, {
    rule: `must be 1 to ${greatest}; 0 is the coordinators' group`,
    remedy: "Use the next free number",
  });

export const WORKER_GROUP_SETTINGS = settings({
  /** Group number, from 1. A group keeps its number forever. Do not reuse the number of a removed group. */
  group: groupNumber(GREATEST_GROUP),
  ...over(PATRONI_GROUP_SETTINGS.shape, "workers"),
});

const host = checkedText("name or address", (name) =>
  /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(name)
    ? undefined
    : { rule: "must be a DNS name or an address", remedy: "Use db7.example.com, for example" },
);

const port = count(1, 65_535, { rule: "must be 1 to 65535", remedy: `Use ${PORTS.postgres}` });

export const EXTERNAL_WORKER_SETTINGS = settings({
  /** Group number, from 1, different from those in `groups`. */
  group: groupNumber(GREATEST_OUTSIDE),
  /** The name or address at which every node reaches it. Its certificate must include it. */
  host,
  /** The port that it listens on. */
  port: setting(port, { default: PORTS.postgres, cost: "none" }),
  /** Adds it to the cluster. With `false` only its certificate is issued, so that it can be set up first. */
  joined: setting(flag(), { default: true, cost: "none" }),
});

const groups = z.union([
  count(1, GREATEST_GROUP, {
    rule: `must be 1 to ${GREATEST_GROUP}: worker groups hold the shards`,
    remedy: "Use 2",
  }),
  list("list", WORKER_GROUP_SETTINGS.readonly()),
]);
const someGroups = checked(`1 to ${GREATEST_GROUP}, or a list`, groups, (value) =>
  typeof value === "number" || value.length > 0
    ? undefined
    : { rule: "must name at least one group: worker groups hold the shards", remedy: "Write - group: 1" },
);

export const WORKER_POOL_SETTINGS = settings({
  /**
   * Number of worker groups, or a list of them (`- group: 1`) whose entries may override settings. Lowering the count removes the groups with the
   * highest numbers, after moving their shards.
   */
  groups: setting(someGroups, { default: 2, cost: "members" }),
  /**
   * External workers (`- {group: 7, host: db7.example.com}`). They are added, drained and removed in the same way as groups
   * ([how](docs/runbooks/external-worker.md)).
   */
  external: setting(list("list", EXTERNAL_WORKER_SETTINGS.readonly()), { default: [], cost: "none" }),
  /** Rebalances the shards when a group was added. Otherwise a new group gets only shards of new tables. */
  rebalance: setting(flag(), { default: true, cost: "none" }),
  ...PATRONI_GROUP_SETTINGS.shape,
  /** Number of members per group. A single member cannot fail over. */
  members: setting(groupMembers, { default: 2, cost: "members" }),
});
