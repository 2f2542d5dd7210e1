import type { Problem } from "./settings/problems";
import { OWN_MIB } from "./proxy-settings";
import { mebibytes, sizeText } from "./settings/size";

/**
 * Memory per client. Measured with 1,900 TLS sessions that had read 20 KB each: PgBouncer needs 28 KB per session, and up to the same
 * again for its buffers and cached prepared statements. HAProxy needs 3 KB, or 45 KB while data flow: two 16 KB buffers and the kernel's
 * sockets. Each program has another 64 MiB for itself, of which it uses 25.
 */
const KIB_OF_A_CLIENT = { pool: 64, entry: 48 };
/** Leaves room for more clients without a new memory limit, which would replace the pool. */
const USUAL_MIB = 256;

export interface ProxyMemory {
  readonly entryMemoryMiB: number;
  readonly poolMemoryMiB: number;
}

/**
 * The memory limits of HAProxy and PgBouncer: `memory` for each; by default what its clients may need, but at least 256 MiB.
 * `clients` is how many clients a pool and an entry admit.
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
      : [entry, `an HAProxy with the sessions of all pools of one kind (${clients.entry})`];
  const problem = {
    setting: "proxy.memory",
    value: memory,
    rule: `must be at least ${sizeText(most)}, which ${who} may need: otherwise the kernel may kill it with all its sessions`,
    remedy: `Use ${sizeText(most)} or more, or lower proxy.maxClients`,
  };
  return { value, problems: [problem] };
}
