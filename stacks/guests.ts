import type { DatabaseContribution, Guests } from "../components/guests/contribution";
import { POOLS } from "../components/pools-guest";
import type { GuestPackages } from "../config-files/images";

/** The guests of a stack, by host. */
export interface StackGuests {
  readonly database: Guests<DatabaseContribution>;
  readonly etcd: Guests;
  readonly entry: Guests;
  readonly pools: Guests;
}

/** Known before any resource exists, because images include the packages of guests. */
export const GUESTS: StackGuests = { database: [POOLS], etcd: [], entry: [], pools: [] };

/** The packages that a stack's guests need, by image. */
export function guestPackages({ database, etcd, entry, pools }: StackGuests): GuestPackages {
  const of = (guests: Guests): readonly string[] => guests.flatMap(({ packages = [] }) => packages);
  return { patroni: of(database), etcd: of(etcd), haproxy: of(entry), pgbouncer: of(pools) };
}
