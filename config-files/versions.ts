/**
 * The version of everything that ends up in an image, in one place. Packages of Debian are pinned to their series: security
 * revisions replace each other in the archive, so a pin to one revision stops building on the day of the next.
 */
export const VERSIONS = {
  /** The distribution that every image starts from; its packages decide the revisions. */
  baseImage: "debian:trixie-slim",
  /** Major version of PostgreSQL: part of package names and paths. */
  postgres: "17",
  pgvector: "0.8",
  /** Series of Citus, part of its package's name: what is fetched from its vendor when no package is on this machine. */
  citus: "14.1",
  /** From PyPI: Debian has 4.0.x, which cannot talk to an etcd >= 3.5.28 with authentication. */
  patroni: "4.1.5",
  etcd: "3.5",
  haproxy: "3.0",
  /** From Debian's next release: this one's has faults that let one client hurt others (decision 24). */
  pgbouncer: "1.26",
} as const;

/** Versions of PostgreSQL that the images can be built for; what a stack's settings are checked against. */
export const SUPPORTED_POSTGRES = ["17"] as const;
