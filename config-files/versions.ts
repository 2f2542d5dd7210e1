/**
 * The versions of all programs in the images. Debian packages are pinned to a release series, not to a revision: security updates
 * replace revisions in the archive, so a pinned revision would fail to build after the next update.
 */
export const VERSIONS = {
  /** The base image. Its Debian release provides the packages. */
  baseImage: "debian:trixie-slim",
  /** Major version of PostgreSQL, as in package names and paths. */
  postgres: "17",
  pgvector: "0.8",
  /** Citus series, as in the package name. Fetched from the vendor's repository if this machine has no local package. */
  citus: "14.1",
  /** From PyPI: Debian's 4.0.x cannot use etcd 3.5.28 or later with authentication. */
  patroni: "4.1.5",
  etcd: "3.5",
  haproxy: "3.0",
  /** From the next Debian release: the current one has bugs that let one client affect others (decision 24). */
  pgbouncer: "1.26",
} as const;
