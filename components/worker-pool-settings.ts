import { z } from "zod";
import { PORTS } from "../config-files/ports";
import { groupMembers, PATRONI_GROUP_SETTINGS } from "./patroni-group-settings";
import { checked, checkedText, count, list, flag } from "./settings/kinds";
import { over, setting, settings } from "./settings/setting";

/** Groups that a cluster's names have room for: `worker-100`. */
const GREATEST_GROUP = 100;
/** What `pg_dist_node` can hold. */
const GREATEST_OUTSIDE = 2 ** 31 - 1;

const groupNumber = (greatest: number) =>
  count(1, greatest, {
    rule: `must be 1 to ${greatest}; 0 is the coordinators'`,
    remedy: "Use the next free number",
  });

export const WORKER_GROUP_SETTINGS = settings({
  /** 1 and upwards. A group keeps its number for ever, and the number of one that was removed is not used again. */
  group: groupNumber(GREATEST_GROUP),
  ...over(PATRONI_GROUP_SETTINGS.shape, "workers"),
});

const host = checkedText("name or address", (name) =>
  /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(name)
    ? undefined
    : { rule: "must be a DNS name or an address", remedy: "Write for instance db7.example.com" },
);

const port = count(1, 65_535, { rule: "must be 1 to 65535", remedy: `Use ${PORTS.postgres}` });

export const EXTERNAL_WORKER_SETTINGS = settings({
  /** 1 and upwards, different from those of `groups`. */
  group: groupNumber(GREATEST_OUTSIDE),
  /** The name or address under which every node reaches it; its certificate must bear it. */
  host,
  /** The port that it listens on. */
  port: setting(port, { default: PORTS.postgres, cost: "none" }),
  /** Add it to the cluster. With `false` it only gets its certificate, so that it can be set up first. */
  joined: setting(flag(), { default: true, cost: "none" }),
});

const groups = z.union([
  count(1, GREATEST_GROUP, {
    rule: `must be 1 to ${GREATEST_GROUP}: shards lie on worker groups`,
    remedy: "Use 2",
  }),
  list("list", WORKER_GROUP_SETTINGS.readonly()),
]);
const someGroups = checked(`1 to ${GREATEST_GROUP}, or a list`, groups, (value) =>
  typeof value === "number" || value.length > 0
    ? undefined
    : { rule: "must name at least one group: shards lie on worker groups", remedy: "Write - group: 1" },
);

export const WORKER_POOL_SETTINGS = settings({
  /**
   * How many worker groups, or a list of them (`- group: 1`), whose entries may have settings of their own. Lowering the count removes the groups
   * with the greatest numbers, after their shards have been moved.
   */
  groups: setting(someGroups, { default: 2, cost: "members" }),
  /**
   * Workers that somebody else runs (`- {group: 7, host: db7.example.com}`). They are added, drained and removed as groups are
   * ([how](docs/runbooks/external-worker.md)).
   */
  external: setting(list("list", EXTERNAL_WORKER_SETTINGS.readonly()), { default: [], cost: "none" }),
  /** Rebalance the shards when a group was added. Otherwise a new group gets only shards of new tables. */
  rebalance: setting(flag(), { default: true, cost: "none" }),
  ...PATRONI_GROUP_SETTINGS.shape,
  /** How many members each group has; one cannot fail over. */
  members: setting(groupMembers, { default: 2, cost: "members" }),
});
