import type { RenderedMember } from "./render";
import { dockerEngine, execIn } from "../../reach/docker/engine";

/** In which order members are replaced, and whether anything runs that could be. */
export interface ReplacementOrder {
  readonly ordinals: readonly number[];
  /** False when no container of the workload exists: then all of them are started at the same time. */
  readonly oneByOne: boolean;
  /** Some member is healthy: one that is made now joins others, which must not be touched before it has. */
  readonly serves: boolean;
}

/** What the decision needs of Docker; a test gives it something else. */
export interface RunningMembers {
  /** Those of the named containers that exist. */
  list(names: readonly string[]): Promise<readonly ExistingMember[]>;
  /** What the command prints, or undefined when it fails. */
  ask(name: string, command: readonly string[], timeoutSeconds: number): Promise<string | undefined>;
}

export interface ExistingMember {
  readonly name: string;
  readonly running: boolean;
  readonly healthy: boolean;
}

/**
 * First the members that are not healthy: replacing a healthy one while another is down would be two down. Then in the order of
 * ordinals; last the replica that a running member names. Nothing about Docker can make it fail: an
 * engine that does not answer, or not in time, or has no containers means the order of ordinals, also in a preview on an empty machine.
 */
export async function replacementOrder(
  members: readonly AskedMember[],
  running: RunningMembers,
  deadlineSeconds = 15,
): Promise<ReplacementOrder> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error("no answer"));
    }, deadlineSeconds * 1000);
  });
  try {
    return await Promise.race([askedOrder(members, running), late]);
  } catch {
    return { ordinals: members.map((member) => member.ordinal), oneByOne: true, serves: false };
  } finally {
    clearTimeout(timer);
  }
}

type AskedMember = Pick<RenderedMember, "name" | "ordinal" | "replacedLast">;

async function askedOrder(
  members: readonly AskedMember[],
  running: RunningMembers,
): Promise<ReplacementOrder> {
  const existing = await running.list(members.map((member) => member.name));
  const healthy = (name: string): boolean => existing.some((c) => c.name === name && c.healthy);
  const serves = existing.some((container) => container.healthy);
  const ordinals = [...members]
    .sort((a, b) => Number(healthy(a.name)) - Number(healthy(b.name)) || a.ordinal - b.ordinal)
    .map((member) => member.ordinal);
  for (const member of members) {
    if (!member.replacedLast || !existing.some((c) => c.name === member.name && c.running)) continue;
    const { command, timeoutSeconds } = member.replacedLast;
    const last = await running.ask(member.name, command, timeoutSeconds).catch(() => undefined);
    // A member that cannot tell, or that is cut off and knows of nobody, does not speak for the others.
    const ordinal = members.find((m) => m.name === last?.trim())?.ordinal;
    if (ordinal === undefined) continue;
    return { ordinals: [...ordinals.filter((o) => o !== ordinal), ordinal], oneByOne: true, serves };
  }
  return { ordinals, oneByOne: existing.length > 0, serves };
}

/** The members as the Docker engine of this machine knows them. */
export const dockerMembers: RunningMembers = {
  async list(names) {
    const containers = await dockerEngine().listContainers({ all: true, filters: { name: [...names] } });
    return containers
      .map((container) => ({
        name: (container.Names[0] ?? "/").slice(1),
        running: container.State === "running",
        healthy: container.Status.includes("(healthy)"),
      }))
      .filter((container) => names.includes(container.name));
  },
  async ask(name, command, timeoutSeconds) {
    const { exitCode, output } = await execIn(dockerEngine(), name, command, Math.min(timeoutSeconds, 5));
    return exitCode === 0 ? output : undefined;
  },
};
