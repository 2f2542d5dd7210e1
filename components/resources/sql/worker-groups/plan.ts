/** Plans changes of the worker groups of a Citus cluster. Pure: takes the current state and returns what is missing and the steps. */

/** A row of `pg_dist_node`. */
export interface NodeRow {
  readonly group: number;
  readonly host: string;
  readonly port: number;
  /** `primary` or `secondary`. */
  readonly role: string;
  readonly active: boolean;
  /** Has the current metadata (`metadatasynced`). */
  readonly synced: boolean;
  /** May have shards (`shouldhaveshards`). */
  readonly shards: boolean;
}

export interface GroupSpec {
  readonly group: number;
  /** Host names of its members in `pg_dist_node`. */
  readonly hosts: readonly string[];
  /** Port of a worker outside the stack, one node without Patroni; undefined for a group of this stack. */
  readonly externalPort?: number;
}

export interface ShardsRow {
  readonly group: number;
  readonly shards: number;
  readonly bytes: number;
}

/** What a group still lacks before it can be used. */
export function missingOf(spec: GroupSpec, nodes: readonly NodeRow[]): readonly string[] {
  const own = nodes.filter((node) => node.group === spec.group);
  const primary = own.find((node) => node.role === "primary");
  const named = `group ${spec.group}`;
  if (!primary)
    return [`${named} has no primary in pg_dist_node yet: Patroni registers it when its leader runs`];
  if (spec.externalPort !== undefined && spec.externalPort !== primary.port)
    return [
      `${named} is registered at port ${primary.port} of ${primary.host} instead of ${spec.externalPort}`,
    ];
  const missing: string[] = [];
  if (!spec.hosts.includes(primary.host)) {
    missing.push(
      `${named} has the primary ${primary.host}, which is not one of its members (${spec.hosts.join(", ")})`,
    );
  }
  if (!primary.active) missing.push(`${primary.host} is not active`);
  if (!primary.synced) missing.push(`${primary.host} does not have the current metadata yet`);
  for (const host of spec.hosts) {
    if (host !== primary.host && !own.some((node) => node.host === host && node.role === "secondary"))
      missing.push(`${host} is not registered as a secondary`);
  }
  for (const node of own) {
    if (!spec.hosts.includes(node.host) && node.role === "secondary")
      missing.push(`${node.host} is registered in ${named}, but not declared`);
  }
  return missing;
}

/** Workers outside the stack that are not registered yet. Patroni only registers groups of the stack. */
export const toAdd = (declared: readonly GroupSpec[], nodes: readonly NodeRow[]): readonly Addition[] =>
  declared.flatMap(({ group, hosts: [host = ""], externalPort: port }) =>
    port === undefined || nodes.some((node) => node.group === group) ? [] : [{ group, host, port }],
  );

export interface Addition {
  readonly group: number;
  readonly host: string;
  readonly port: number;
}

/** Registered groups that are not, or no longer, declared. */
export const leavingGroups = (
  declared: readonly GroupSpec[],
  nodes: readonly NodeRow[],
): readonly number[] => [
  ...new Set(
    nodes.map((node) => node.group).filter((group) => !declared.some((spec) => spec.group === group)),
  ),
];

export type MarkStep = { readonly host: string; readonly port: number; readonly shards: boolean };

/** Primaries whose `shouldhaveshards` is wrong. Leaving groups come first, so that no shard is moved to them. */
export function markSteps(declared: readonly GroupSpec[], nodes: readonly NodeRow[]): readonly MarkStep[] {
  const leaving = leavingGroups(declared, nodes);
  const steps = nodes
    .filter((node) => node.role === "primary" && node.shards === leaving.includes(node.group))
    .map(({ host, port, group }) => ({ host, port, shards: !leaving.includes(group) }));
  return [...steps.filter((step) => !step.shards), ...steps.filter((step) => step.shards)];
}

/** Nodes of a leaving group in the order of their removal: a primary cannot be removed before its secondaries. */
export const removalOrder = (group: number, nodes: readonly NodeRow[]): readonly NodeRow[] => {
  const own = nodes.filter((node) => node.group === group);
  return [...own.filter((node) => node.role !== "primary"), ...own.filter((node) => node.role === "primary")];
};

/** Bytes in binary units, for messages. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ""}`;
}

export interface Move {
  readonly source: string;
  readonly target: string;
  readonly shards: number;
  readonly bytes: number;
}

/** The database's planned moves as lines for a preview or a log. */
export const describeMoves = (moves: readonly Move[]): readonly string[] =>
  moves.map(
    ({ source, target, shards, bytes }) =>
      `move ${shards} shard(s), ${formatBytes(bytes)}, from ${source} to ${target}`,
  );

/** Disk space for a worker's data, in bytes. */
export interface Space {
  readonly host: string;
  readonly free: number;
  readonly total: number;
}

/** Hosts that the planned moves would leave with less than `percent` free. Hosts with unknown disk space are left to Citus. */
export const spaceProblems = (
  moves: readonly Move[],
  space: readonly Space[],
  percent: number,
): readonly string[] =>
  space.flatMap(({ host, free, total }) => {
    const needed = moves.reduce((sum, { target, bytes }) => sum + (target === host ? bytes : 0), 0);
    if (needed === 0 || free - needed >= (total * percent) / 100) return [];
    return [
      `${host} would receive ${formatBytes(needed)} and have ${formatBytes(Math.max(0, free - needed))} of ${formatBytes(total)} left, ` +
        `less than the ${percent} % of citus.desired_percent_disk_available_after_move`,
    ];
  });
