import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { issueAuthority, issueLeaf } from "../../components/resources/certificates/issue";
import { etcdAuthenticationProvider } from "../../components/resources/etcd/provider";
import type { RestTarget } from "../../components/resources/patroni/rest";
import { packArchive } from "../../components/reach/docker/archive";
import {
  extraCaCertificates,
  imageTag,
  MACHINE_CERTIFICATES,
} from "../../components/platforms/docker/image-build";
import type { SessionTarget } from "../../components/resources/sql/session";
import { etcdEnvironment } from "../../config-files/etcd/etcd";
import { IMAGES } from "../../config-files/images";
import type { DynamicConfiguration } from "../../config-files/patroni/patroni";
import { bootstrapYml, patroniSecretsYml, patroniYml } from "../../config-files/patroni/patroni";
import { hooksJson } from "../../config-files/patroni/guests";
import { guestsJson, GUESTS_DIRECTORY } from "../../config-files/guests/guests";
import type { DatabaseContribution, Guests } from "../../components/guests/contribution";
import { POOLS } from "../../components/pools-guest";
import { orRemove } from "./docker";
import { served } from "./served";

/** One etcd and some Patroni members in throw-away containers of our own images, started by hand: no engine, no renderer. */
export interface PatroniTrial {
  readonly rest: RestTarget;
  /** A superuser's session in the database `postgres`. */
  readonly target: SessionTarget;
  readonly members: readonly string[];
  /** A certificate of the trial's authority, as the files of /secrets/tls. */
  issue(commonName: string, names: readonly string[]): Promise<Record<string, string>>;
  docker(...args: readonly string[]): string;
  remove(): void;
}

const OWNER = 10001;
const CONFIG_FILES = join(__dirname, "../../config-files");

function docker(args: readonly string[], input?: Buffer): string {
  return execFileSync("docker", [...args], { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
}

/** The image of ours of that name, built if it is not there. */
export function imageOf(key: string): string {
  const source = IMAGES[key]!;
  const tag = imageTag(key, source, CONFIG_FILES);
  if (docker(["images", "--quiet", tag]).trim() !== "") return tag;
  const certificates =
    source.usesExtraCaCertificates === true ? extraCaCertificates(MACHINE_CERTIFICATES) : undefined;
  const all = {
    ...source.buildArgs,
    ...(certificates === undefined ? {} : { EXTRA_CA_CERTIFICATES: certificates }),
  };
  const buildArgs = Object.entries(all).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  execFileSync(
    "docker",
    [
      "build",
      "--quiet",
      "--tag",
      tag,
      "-f",
      join(CONFIG_FILES, source.dockerfile),
      ...buildArgs,
      CONFIG_FILES,
    ],
    {
      env: { ...process.env, DOCKER_BUILDKIT: "0" },
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  return tag;
}

/** Creates a container with files in directories that belong to the program's user, and starts it. `more` are further options. */
export async function start(
  name: string,
  network: string,
  key: string,
  env: Record<string, string>,
  files: Record<string, Record<string, string>>,
  more: readonly string[] = [],
): Promise<void> {
  const expand = (text: string): string => text.replaceAll(/\$\(REPLICA_(NAME|ADDRESS)\)/g, name);
  const all = { REPLICA_ORDINAL: "0", ...env, REPLICA_NAME: name, REPLICA_ADDRESS: name };
  const settings = Object.entries(all).flatMap(([variable, value]) => [
    "--env",
    `${variable}=${expand(value)}`,
  ]);
  const options = ["--name", name, "--network", network, "--hostname", name, ...settings, ...more];
  docker(["create", ...options, imageOf(key)]);
  for (const [directory, content] of Object.entries(files)) {
    const path = directory.split("/").slice(1);
    const parents = path.map((_part, index) => path.slice(0, index + 1).join("/"));
    const archive = await packArchive(
      [
        ...parents.map((parent) => ({ name: parent, kind: "directory" as const, content: "" })),
        ...Object.entries(content).map(([file, text]) => ({
          name: `${path.join("/")}/${file}`,
          kind: "file" as const,
          content: text,
        })),
      ].filter((entry) => !["etc", "secrets"].includes(entry.name)),
      OWNER,
    );
    docker(["cp", "-", `${name}:/`], archive);
  }
  docker(["start", name]);
}

/** @param prefix of the containers, which tells whose they are */
export async function startPatroni(
  prefix: string,
  count: number,
  dynamic: DynamicConfiguration,
  guests: Guests<DatabaseContribution> = [POOLS],
): Promise<PatroniTrial> {
  const etcd = `${prefix}-etcd-0`;
  const members = [...Array(count).keys()].map((ordinal) => `${prefix}-patroni-${ordinal}`);
  const authority = await issueAuthority(new Date(), { commonName: prefix, lifetimeDays: 1 });
  const leaf = (commonName: string, names: readonly string[]) =>
    issueLeaf(new Date(), {
      commonName,
      dnsNames: [...names, "localhost"],
      ipAddresses: ["127.0.0.1"],
      usages: ["server", "client"],
      lifetimeDays: 1,
      authorityCertificatePem: authority.certificatePem,
      authorityPrivateKeyPem: authority.privateKeyPem,
    });
  const tls = async (commonName: string, names: readonly string[]) => {
    const { certificatePem, privateKeyPem } = await leaf(commonName, names);
    return { "ca.crt": authority.certificatePem, "tls.crt": certificatePem, "tls.key": privateKeyPem };
  };
  const remove = (): void => {
    docker(["rm", "--force", "--volumes", etcd, ...members]);
    docker(["network", "rm", prefix]);
  };
  return orRemove(remove, async () => {
    docker(["network", "create", prefix]);
    await start(
      etcd,
      prefix,
      "etcd",
      etcdEnvironment({ members: [{ name: etcd, address: etcd }], clusterToken: prefix, quotaMiB: 256 }),
      {
        "/secrets/tls": await tls("etcd", [etcd]),
        "/secrets/etcd": { "root-password": "etcd-root" },
      },
    );
    const { provider } = served(etcdAuthenticationProvider);
    await provider.create({
      members: [{ name: etcd, serverName: etcd, reach: { via: "docker", container: etcd, port: 2379 } }],
      ca: authority.certificatePem,
      rootPassword: "etcd-root",
      scopes: [{ user: "patroni-trial", prefix: "/service/trial/" }],
      passwords: { "patroni-trial": "etcd-trial" },
      deadlineSeconds: 60,
      providerVersion: 1,
    });
    const nodeTls = await tls("cluster-node", members);
    const secrets = {
      restPassword: "rest-trial",
      etcdPassword: "etcd-trial",
    };
    const env = {
      PATRONI_NAME: "$(REPLICA_NAME)",
      PATRONI_RESTAPI_CONNECT_ADDRESS: "$(REPLICA_ADDRESS):8008",
      PATRONI_POSTGRESQL_CONNECT_ADDRESS: "$(REPLICA_ADDRESS):5432",
    };
    const told = guestsJson(guests);
    const ofGuests = {
      ...(told !== "" && { [GUESTS_DIRECTORY]: { "guests.json": told } }),
      ...Object.fromEntries(
        guests.flatMap(({ files = {} }) =>
          Object.entries(files).map(([path, directory]) => [path, { ...directory.files }]),
        ),
      ),
    };
    const scratch = guests.flatMap((guest) =>
      (guest.scratch ?? []).flatMap((path) => ["--tmpfs", `${path}:mode=1777`]),
    );
    for (const member of members) {
      const files = {
        "/secrets/tls": nodeTls,
        "/secrets/patroni": {
          "patroni.yml": patroniSecretsYml(secrets),
          "superuser-password": "superuser-trial",
        },
        "/etc/patroni": {
          "cluster.yml": patroniYml({
            scope: "trial",
            etcd: { endpoints: [`${etcd}:2379`], username: "patroni-trial" },
            guests,
          }),
          "hooks.json": hooksJson(guests),
        },
        "/etc/patroni-bootstrap": { "bootstrap.yml": bootstrapYml(dynamic, guests) },
        ...ofGuests,
      };
      await start(member, prefix, "patroni", env, files, scratch);
    }
    const reachable = (port: number) =>
      members.map((name) => ({
        name,
        serverName: name,
        reach: { via: "docker" as const, container: name, port },
      }));
    return {
      members,
      rest: {
        members: reachable(8008),
        ca: authority.certificatePem,
        username: "patroni",
        password: "rest-trial",
      },
      target: {
        members: reachable(5432),
        user: "postgres",
        password: "superuser-trial",
        database: "postgres",
        ca: authority.certificatePem,
      },
      issue: tls,
      docker: (...args) => docker(args),
      remove,
    };
  });
}
