/** Whether a Citus cluster is what was declared. Pure: what was observed goes in, everything that is wrong comes out. */

export interface ExpectedGroup {
  /** 0 is that of the coordinators. */
  readonly group: number;
  /** One node that somebody else runs, without Patroni: the DCS knows nothing of it. */
  readonly external?: boolean;
  readonly members: readonly {
    readonly name: string;
    /** The name under which other nodes know it. */
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
  /** It has the metadata as they are now. Means something of primaries only. */
  readonly synced: boolean;
}

/** What the DCS says of a group. */
export interface DcsGroup {
  readonly members: readonly { readonly name: string; readonly role: string }[];
}

export interface ClusterObservation {
  readonly nodes: readonly RegisteredNode[];
  /** By group: what the DCS says, or why it cannot be asked. */
  readonly dcs: Readonly<Record<number, DcsGroup | { readonly problem: string }>>;
  /** Which node cannot reach which. */
  readonly broken: readonly { readonly from: string; readonly to: string }[];
}

const leads = ({ role }: { readonly role: string }): boolean =>
  role === "leader" || role === "standby_leader";

/** What the DCS says of a group, against its declaration. */
function judgeDcs({ members }: ExpectedGroup, dcs: DcsGroup): string[] {
  const leaders = dcs.members.filter(leads);
  return [
    ...(leaders.length === 1
      ? []
      : [leaders.length === 0 ? "it has no leader" : "it has more than one leader"]),
    ...members
      .filter(({ name }) => !dcs.members.some((member) => member.name === name))
      .map(({ name }) => `${name} is unknown to the DCS`),
    ...dcs.members
      .filter(({ name }) => !members.some((member) => member.name === name))
      .map(({ name }) => `${name} is a member according to the DCS, but not declared`),
  ];
}

/** What is registered of a group, against its declaration and its leader. */
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

/** Everything that is wrong; empty when nothing is. */
export function judgeCluster(
  expected: readonly ExpectedGroup[],
  { nodes, dcs, broken }: ClusterObservation,
): readonly string[] {
  const declared = expected.flatMap((group) => {
    const own = nodes.filter((node) => node.group === group.group);
    if (group.external === true)
      return judgeRegistered(group, own, group.members[0]?.name).map(inGroup(group));
    const view = dcs[group.group] ?? { problem: "it was not asked" };
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
    return `group ${group}: it is registered (${hosts.join(", ")}), but not declared`;
  });
  return [...declared, ...undeclared, ...broken.map(({ from, to }) => `${from} does not reach ${to}`)];
}
