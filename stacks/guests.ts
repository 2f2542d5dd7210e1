import type { DatabaseContribution, Guests } from "../components/guests/contribution";
import { POOLS } from "../components/pools-guest";
import type { GuestPackages } from "../config-files/images";

/** Who is a guest of what in a stack. */
export interface StackGuests {
  readonly database: Guests<DatabaseContribution>;
  readonly etcd: Guests;
  readonly entry: Guests;
  readonly pools: Guests;
}

/** Known before anything exists, since images are made for guests. */
export const GUESTS: StackGuests = { database: [POOLS], etcd: [], entry: [], pools: [] };

/** What images must have for the guests of a stack. */
export function guestPackages({ database, etcd, entry, pools }: StackGuests): GuestPackages {
  const of = (guests: Guests): readonly string[] => guests.flatMap(({ packages = [] }) => packages);
  return { patroni: of(database), etcd: of(etcd), haproxy: of(entry), pgbouncer: of(pools) };
}
