import { basename } from "node:path";
import { VERSIONS } from "./versions";

/** How one of our images is built. The build context is the folder `config-files/`. */
export interface ImageSource {
  /** Relative to `config-files/`, like the inputs. */
  readonly dockerfile: string;
  /** Values of the Dockerfile's `ARG`s. `EXTRA_CA_CERTIFICATES` is added by the platform, where the machine has any. */
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Files and folders that end up in the image: a change to one of them is a new image. */
  readonly inputs: readonly string[];
  /** What the image's tag begins with; a digest of the inputs and arguments follows it. */
  readonly version: string;
  /** Files from elsewhere that lie in the build context, too: their path there, to their path on this machine. */
  readonly files?: Readonly<Record<string, string>>;
  /** The build stage fetches packages over https and needs the machine's additional CA certificates. */
  readonly usesExtraCaCertificates?: boolean;
}

/** Debian packages that guests need, by the image of their host. */
export type GuestPackages = Readonly<Record<string, readonly string[]>>;

/** The images of a system, by the name that a `WorkloadSpec` uses. */
export type Images = Readonly<Record<string, ImageSource>>;

const { baseImage, ...versions } = VERSIONS;

/** What scripts read the ports from. */
const PORTS = ["port-numbers.json", "ports.py"];

/** The images as they are without anybody's wishes. */
export const IMAGES: Images = {
  etcd: {
    dockerfile: "etcd/Dockerfile",
    buildArgs: { BASE_IMAGE: baseImage, ETCD_VERSION: versions.etcd, EXTRA_PACKAGES: "" },
    inputs: ["etcd/Dockerfile", "etcd/scripts", ...PORTS, "supervise"],
    version: versions.etcd,
  },
  patroni: {
    dockerfile: "patroni/Dockerfile",
    buildArgs: {
      BASE_IMAGE: baseImage,
      POSTGRES_VERSION: versions.postgres,
      PGVECTOR_VERSION: versions.pgvector,
      PATRONI_VERSION: versions.patroni,
      CITUS_VERSION: "",
      EXTRA_PACKAGES: "",
    },
    inputs: [
      "patroni/Dockerfile",
      "patroni/requirements.txt",
      "patroni/citus-package",
      "patroni/scripts",
      ...PORTS,
      "supervise",
    ],
    version: `${versions.postgres}-${versions.patroni}`,
    usesExtraCaCertificates: true,
  },
  haproxy: {
    dockerfile: "haproxy/Dockerfile",
    buildArgs: { BASE_IMAGE: baseImage, HAPROXY_VERSION: versions.haproxy, EXTRA_PACKAGES: "" },
    inputs: [
      "haproxy/Dockerfile",
      "haproxy/haproxy-start",
      "haproxy/haproxy-reload",
      "haproxy/haproxy-ready",
      "haproxy/haproxy-check",
      "haproxy/haproxy-drain",
      "supervise",
    ],
    version: versions.haproxy,
  },
  pgbouncer: {
    dockerfile: "pgbouncer/Dockerfile",
    buildArgs: { BASE_IMAGE: baseImage, PGBOUNCER_VERSION: versions.pgbouncer, EXTRA_PACKAGES: "" },
    inputs: [
      "pgbouncer/Dockerfile",
      "pgbouncer/fetch-package",
      "pgbouncer/without-replication",
      "pgbouncer/follower",
      "pgbouncer/pool-start",
      "pgbouncer/pool-follower",
      "pgbouncer/pool-ready",
      "pgbouncer/pool-reload",
      "pgbouncer/pool-drain",
      "pgbouncer/pool-console",
      ...PORTS,
      "supervise",
    ],
    version: versions.pgbouncer,
  },
};

/** Name of a Debian package, without a version: https://www.debian.org/doc/debian-policy/ch-controlfields.html#source */
export const DEBIAN_PACKAGE = /^[a-z0-9][a-z0-9+.-]+$/;

/** Where the Citus of the database's image comes from. */
export interface CitusPackage {
  /** The series, part of the package's name: `14.0`. */
  readonly version: string;
  /** A package on this machine. Default: the image's build fetches it from its vendor. */
  readonly file?: string;
}

/** The name of a Citus package's file, and in it the series. */
export const CITUS_FILE = new RegExp(`^postgresql-${versions.postgres}-citus-(\\d+\\.\\d+)_[^/]+\\.deb$`);

/** The images with what a stack wants in them: Citus, further Debian packages for extensions, and what guests need. */
export function imagesWith(wishes: {
  readonly citus?: CitusPackage;
  readonly postgresPackages?: readonly string[];
  readonly guests?: GuestPackages;
}): Images {
  const { citus, postgresPackages = [], guests = {} } = wishes;
  const packages = (image: string): string =>
    [...new Set([...(image === "patroni" ? postgresPackages : []), ...(guests[image] ?? [])])]
      .sort()
      .join(" ");
  return Object.fromEntries(
    Object.entries(IMAGES).map(([name, image]) => {
      const buildArgs = { ...image.buildArgs, EXTRA_PACKAGES: packages(name) };
      if (name !== "patroni" || citus === undefined) return [name, { ...image, buildArgs }];
      return [
        name,
        {
          ...image,
          buildArgs: { ...buildArgs, CITUS_VERSION: citus.version },
          version: `${image.version}-citus${citus.version}`,
          ...(citus.file !== undefined && { files: { [`patroni/${basename(citus.file)}`]: citus.file } }),
        },
      ];
    }),
  );
}
