import { basename } from "node:path";
import { VERSIONS } from "./versions";

/** How one of our images is built. The build context is the folder `config-files/`. */
export interface ImageSource {
  /** Relative to `config-files/`, like the inputs. */
  readonly dockerfile: string;
  /** Values of the Dockerfile's `ARG`s. The platform adds `EXTRA_CA_CERTIFICATES` if the machine has any. */
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Files and folders that are copied into the image: a change to one of them is a new image. */
  readonly inputs: readonly string[];
  /** The first part of the image's tag; a digest of the inputs and arguments follows it. */
  readonly version: string;
  /** Files from elsewhere that are added to the build context: their paths on this machine, by their path in the context. */
  readonly files?: Readonly<Record<string, string>>;
  /** The build stage downloads packages over HTTPS and needs the build machine's additional CA certificates. */
  readonly usesExtraCaCertificates?: boolean;
}

/** Debian packages that guests need, by the image of their host container. */
export type GuestPackages = Readonly<Record<string, readonly string[]>>;

/** Images by the name that a `WorkloadSpec` uses. */
export type Images = Readonly<Record<string, ImageSource>>;

const { baseImage, ...versions } = VERSIONS;

/** Files from which scripts read the ports. */
const PORTS = ["port-numbers.json", "ports.py"];

/** The images without additions. */
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

/** The Citus package of the database image. */
export interface CitusPackage {
  /** The series, part of the package's name: `14.0`. */
  readonly version: string;
  /** A package file on this machine. Default: the image build fetches it from the vendor. */
  readonly file?: string;
}

/** Matches the file name of a Citus package and captures its series. */
export const CITUS_FILE = new RegExp(`^postgresql-${versions.postgres}-citus-(\\d+\\.\\d+)_[^/]+\\.deb$`);

/** The images with a stack's additions: Citus, Debian packages for extensions, and packages for guests. */
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
