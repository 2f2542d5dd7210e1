import type { Problem } from "./settings/problems";
import { OWN_MIB } from "./proxy-settings";
import { mebibytes, sizeText } from "./settings/size";

/**
 * What clients cost a proxy. Measured with 1,900 sessions over TLS that had read 20 KB each: PgBouncer 28 KB for each of them, and up to as
 * much again for its buffers and the prepared statements that it keeps; HAProxy 3 KB, with its two buffers of 16 KB and the kernel's
 * sockets while data flow 45 KB. Each has 64 MiB for itself, of which it takes 25.
 */
const KIB_OF_A_CLIENT = { pool: 64, entry: 48 };
/** So that a pool can be given more clients without being replaced for its memory. */
const USUAL_MIB = 256;

export interface ProxyMemory {
  readonly entryMemoryMiB: number;
  readonly poolMemoryMiB: number;
}

/**
 * The memory limits of entries and pools: `memory` for each of them, by default what its clients may need, and 256 MiB at least.
 * `clients` are those that a pool admits, and those that an entry does.
 */
export function resolveProxyMemory(
  memory: string | undefined,
  clients: { readonly pool: number; readonly entry: number },
): { readonly value: ProxyMemory; readonly problems: readonly Problem[] } {
  const needs = (kind: "pool" | "entry"): number =>
    OWN_MIB + Math.ceil((clients[kind] * KIB_OF_A_CLIENT[kind]) / 1024);
  const [pool, entry] = [needs("pool"), needs("entry")];
  if (memory === undefined) {
    const value = { poolMemoryMiB: Math.max(USUAL_MIB, pool), entryMemoryMiB: Math.max(USUAL_MIB, entry) };
    return { value, problems: [] };
  }
  const mib = mebibytes(memory);
  const value = { poolMemoryMiB: mib, entryMemoryMiB: mib };
  if (mib >= Math.max(pool, entry)) return { value, problems: [] };
  const [most, who] =
    pool >= entry
      ? [pool, `a PgBouncer with proxy.maxClients (${clients.pool}) sessions`]
      : [entry, `an HAProxy with as many sessions as its pools of one kind have together (${clients.entry})`];
  const problem = {
    setting: "proxy.memory",
    value: memory,
    rule: `must be at least ${sizeText(most)}, which ${who} may need: the kernel would kill it, and all its sessions`,
    remedy: `Use ${sizeText(most)} or more, or lower proxy.maxClients`,
  };
  return { value, problems: [problem] };
}
