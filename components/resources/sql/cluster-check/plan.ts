/** Compares a Citus cluster with its declaration. Pure: takes an observation and returns all problems. */

export interface ExpectedGroup {
  /** 0 is the coordinators' group. */
  readonly group: number;
  /** One node outside the stack, without Patroni, so unknown to the DCS. */
  readonly external?: boolean;
  readonly members: readonly {
    readonly name: string;
    /** Its host name in `pg_dist_node`. */
    readonly host: string;
  }[];
}

/** A row of `pg_dist_node`. */
export interface RegisteredNode {
  readonly group: number;
  readonly host: string;
  /** `primary` or `secondary`. */
  readonly role: string;
  readonly active: boolean;
  /** Has the current metadata (`metadatasynced`). Only meaningful for primaries. */
  readonly synced: boolean;
}

/** A group's state in the DCS. */
export interface DcsGroup {
  readonly members: readonly { readonly name: string; readonly role: string }[];
}

export interface ClusterObservation {
  readonly nodes: readonly RegisteredNode[];
  /** By group: its state in the DCS, or why that cannot be read. */
  readonly dcs: Readonly<Record<number, DcsGroup | { readonly problem: string }>>;
  /** Pairs of nodes where the first cannot connect to the second. */
  readonly broken: readonly { readonly from: string; readonly to: string }[];
}

const leads = ({ role }: { readonly role: string }): boolean =>
  role === "leader" || role === "standby_leader";

/** Compares a group's state in the DCS with its declaration. */
function judgeDcs({ members }: ExpectedGroup, dcs: DcsGroup): string[] {
  const leaders = dcs.members.filter(leads);
  return [
    ...(leaders.length === 1 ? [] : [leaders.length === 0 ? "no leader" : "more than one leader"]),
    ...members
      .filter(({ name }) => !dcs.members.some((member) => member.name === name))
      .map(({ name }) => `${name} is unknown to the DCS`),
    ...dcs.members
      .filter(({ name }) => !members.some((member) => member.name === name))
      .map(({ name }) => `${name} is a member according to the DCS, but not declared`),
  ];
}

/** Compares a group's registered nodes with its declaration and its leader. */
function judgeRegistered(
  { members }: ExpectedGroup,
  nodes: readonly RegisteredNode[],
  leader: string | undefined,
): string[] {
  const missing = members.filter(({ host }) => !nodes.some((node) => node.host === host));
  const extra = nodes.filter((node) => !members.some(({ host }) => host === node.host));
  const [one, other] = [missing[0], extra[0]];
  if (one && other && missing.length === 1 && extra.length === 1)
    return [`${one.host} is registered under another name, ${other.host}`];
  return [
    ...missing.map(({ host }) => `${host} is not registered`),
    ...extra.map(({ host }) => `${host} is registered, but not declared`),
    ...nodes.flatMap((node) => {
      const member = members.find(({ host }) => host === node.host);
      if (!member) return [];
      const shouldBe = member.name === leader ? "primary" : "secondary";
      return [
        ...(leader === undefined || node.role === shouldBe
          ? []
          : [`${node.host} is registered as ${node.role}, but is the ${shouldBe}`]),
        ...(node.active ? [] : [`${node.host} is not active`]),
        ...(node.role !== "primary" || node.synced
          ? []
          : [`${node.host} does not have the current metadata`]),
      ];
    }),
  ];
}

const inGroup =
  ({ group }: ExpectedGroup) =>
  (problem: string): string =>
    `group ${group}: ${problem}`;

/** All problems. */
export function judgeCluster(
  expected: readonly ExpectedGroup[],
  { nodes, dcs, broken }: ClusterObservation,
): readonly string[] {
  const declared = expected.flatMap((group) => {
    const own = nodes.filter((node) => node.group === group.group);
    if (group.external === true)
      return judgeRegistered(group, own, group.members[0]?.name).map(inGroup(group));
    const view = dcs[group.group] ?? { problem: "not asked" };
    const known = "members" in view;
    const leader = known ? view.members.find(leads)?.name : undefined;
    return [
      ...(known
        ? judgeDcs(group, view)
        : [`none of its members reports the state in the DCS: ${view.problem}`]),
      ...judgeRegistered(group, own, leader),
    ].map(inGroup(group));
  });
  const others = nodes.filter((node) => !expected.some(({ group }) => group === node.group));
  const undeclared = [...new Set(others.map((node) => node.group))].map((group) => {
    const hosts = others.filter((node) => node.group === group).map(({ host }) => host);
    return `group ${group} is registered (${hosts.join(", ")}), but not declared`;
  });
  return [...declared, ...undeclared, ...broken.map(({ from, to }) => `${from} cannot reach ${to}`)];
}
