import type { ClusterMember } from "../components/reach/cluster-members";
import { type Call, printJson } from "./call";
import { type Cluster, isRunning, openCluster } from "./cluster";
import { EXIT } from "./command-error";
import { make } from "./stack";

/** A member's memory use in bytes. The limit is null if it has none. */
export interface Memory {
  readonly usedBytes: number;
  readonly limitBytes: number | null;
}

/** Prints memory use, limit and reclaimable file pages of the control group, version 2 or 1. */
const READ_MEMORY = `cd /sys/fs/cgroup
if [ -e memory.current ]; then cat memory.current memory.max; awk '$1 == "inactive_file" {print $2}' memory.stat
else cd memory; cat memory.usage_in_bytes memory.limit_in_bytes; awk '$1 == "total_inactive_file" {print $2}' memory.stat; fi`;

/** Reads the output of `READ_MEMORY`, without reclaimable file pages; undefined for any other text. */
export function readMemory(text: string): Memory | undefined {
  const [used, limit, droppable = "0"] = text.split("\n");
  if (!/^\d+$/.test(used ?? "") || limit === undefined) return undefined;
  // Instead of "max", version 1 has a number larger than any machine's memory.
  const bound = limit === "max" || Number(limit) > 2 ** 60 ? null : Number(limit);
  return { usedBytes: Math.max(0, Number(used) - Number(droppable)), limitBytes: bound };
}

export interface Process extends ClusterMember {
  readonly memory: Memory | null;
}

/** Members with their node, uptime, restarts and memory. Exit code 1 if one is not running. */
export async function ps(call: Call): Promise<number> {
  const cluster = await openCluster(call.stack);
  const members = await cluster.members(call.variable("WORKLOAD"));
  const all = await Promise.all(
    members.map(async (member): Promise<Process> => ({ ...member, memory: await memoryOf(cluster, member) })),
  );
  if (call.json) printJson({ cluster: cluster.name, members: all });
  else if (all.length === 0)
    console.log(`The stack ${call.stack.name} is not up. Start it with ${make(call.stack, "up")}.`);
  else console.log(psLines(all, new Date()).join("\n"));
  return all.length > 0 && all.every(isRunning) ? EXIT.done : EXIT.wrong;
}

async function memoryOf(cluster: Cluster, member: ClusterMember): Promise<Memory | null> {
  if (!isRunning(member)) return null;
  const text = await cluster.execute(member.name, ["sh", "-c", READ_MEMORY]).catch(() => "");
  return readMemory(text) ?? null;
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)}`;

/** `3d 4h`, `2h 5m`, `4m 10s`: the two largest units. */
export function duration(ms: number): string {
  const units: readonly [string, number][] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ];
  let rest = Math.max(0, ms);
  const parts = units.map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return { unit, count };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  if (first === -1) return "0s";
  return parts
    .slice(first, first + 2)
    .map(({ unit, count }) => `${count}${unit}`)
    .join(" ");
}

export function psLines(all: readonly Process[], now: Date): readonly string[] {
  const rows = all.map(({ name, node, state, readiness, startedAt, restarts, memory }) => [
    name,
    node || "-",
    isRunning({ state }) ? readiness : state,
    startedAt === undefined ? "-" : duration(now.getTime() - Date.parse(startedAt)),
    String(restarts),
    memory === null
      ? "-"
      : `${mebibytes(memory.usedBytes)} of ${memory.limitBytes === null ? "any" : mebibytes(memory.limitBytes)} MiB`,
  ]);
  const table = [["MEMBER", "ON", "STATE", "UP", "RESTARTS", "MEMORY"], ...rows];
  const widths = table[0]?.map((_, i) => Math.max(...table.map((row) => row[i]?.length ?? 0))) ?? [];
  return table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
