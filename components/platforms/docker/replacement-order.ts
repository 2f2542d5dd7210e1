import type { RenderedMember } from "./render";
import { dockerEngine, execIn } from "../../reach/docker/engine";

/** The order in which members are replaced. */
export interface ReplacementOrder {
  readonly ordinals: readonly number[];
  /** False if no container of the workload exists: then all are started at the same time. */
  readonly oneByOne: boolean;
  /** Whether any member is healthy. A new member then joins the others, which must not be changed until it has joined. */
  readonly serves: boolean;
}

/** What the decision needs from Docker. Tests replace it. */
export interface RunningMembers {
  /** Lists the existing ones of the named containers. */
  list(names: readonly string[]): Promise<readonly ExistingMember[]>;
  /** Runs a command and returns its output, or undefined if it fails. */
  ask(name: string, command: readonly string[], timeoutSeconds: number): Promise<string | undefined>;
}

export interface ExistingMember {
  readonly name: string;
  readonly running: boolean;
  readonly healthy: boolean;
}

/**
 * Unhealthy members come first: replacing a healthy one while another is down would leave two down. The rest follows by ordinal, except the
 * replica that a running member's `replacedLast` names, which comes last. It never fails: if the engine does not answer in time, the order is
 * by ordinal, for example in a preview on a machine without Docker.
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
    // A member that fails, or that is isolated and knows no leader, must not decide for the others.
    const ordinal = members.find((m) => m.name === last?.trim())?.ordinal;
    if (ordinal === undefined) continue;
    return { ordinals: [...ordinals.filter((o) => o !== ordinal), ordinal], oneByOne: true, serves };
  }
  return { ordinals, oneByOne: existing.length > 0, serves };
}

/** The members as the Docker engine reports them. */
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
