import { POOLS } from "../../components/pools-guest";
import { type AddressInfo, createServer } from "node:net";
import { POOL_ROLE } from "../../components/application-database";
import { patroniLeaderProvider } from "../../components/resources/patroni/leader-provider";
import type { WorkloadSpec } from "../../components/platforms/workload";
import { databaseProvider } from "../../components/resources/sql/database/provider";
import { rolesProvider } from "../../components/resources/sql/roles/provider";
import { dynamicConfiguration } from "../../config-files/patroni/patroni";
import { userlist } from "../../config-files/pgbouncer/pgbouncer";
import { resolveParameters } from "../../config-files/postgres/parameters";
import { docker, dockerMeanwhile } from "./docker";
import { type PatroniTrial, start, startPatroni } from "./patroni";
import { served } from "./served";
import { eventually } from "./stack";

/** A group of real members, one by default, with the application's roles and database, and whatever workloads of ours a test runs before it. */
export interface PooledTrial {
  readonly trial: PatroniTrial;
  /** Password of each role that there is. */
  readonly passwords: Readonly<Record<string, string>>;
  /** For components that ask a platform for names: a container's name is its address. */
  readonly addresses: {
    readonly replicaName: (workload: string, ordinal: number) => string;
    readonly replicaAddress: (workload: string, ordinal: number) => string;
  };
  /** Runs a replica of a workload as a platform would: image, environment, files, how long a stop may take. `more` are options of Docker. */
  run(spec: WorkloadSpec, ordinal: number, more?: readonly string[]): Promise<void>;
  /** Waits until a command in a replica's container succeeds. */
  ready(workload: string, ordinal: number, command: string): Promise<unknown>;
  remove(): void;
}

/** A port of this machine that nobody has. */
export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });

const POOL_PASSWORD = "pool-trial";
const PASSWORDS = {
  dpg_cluster: "owner-trial",
  app_readwrite: "writer-trial",
  app_readonly: "reader-trial",
  [POOL_ROLE]: POOL_PASSWORD,
};

/** @param prefix of the containers and their network, which tells whose they are */
export async function startPooledTrial(prefix: string, count = 1): Promise<PooledTrial> {
  const containers: string[] = [];
  const name = (workload: string, ordinal: number): string => `${prefix}-${workload}-${ordinal}`;
  const trial = await startPatroni(
    prefix,
    count,
    dynamicConfiguration({
      synchronous: "quorum",
      synchronousReplicas: 1,
      timing: { ttlSeconds: 20, loopWaitSeconds: 1, retryTimeoutSeconds: 3 },
      parameters: resolveParameters({ max_connections: 100 }, { memoryMiB: 256 }).parameters,
    }),
  );
  const { members, ca } = trial.rest;
  const leader = served(patroniLeaderProvider).provider;
  await leader.create({ rest: { members, ca }, deadlineSeconds: 120, providerVersion: 1 });
  const { password, ...session } = trial.target;
  const common = { target: session, password, deadlineSeconds: 120, providerVersion: 1 };
  const role = { login: true, connectionLimit: -1, createDatabase: false, createRole: false };
  const roles = Object.keys(PASSWORDS).map((each) => ({ ...role, name: each, memberOf: [], settings: {} }));
  await served(rolesProvider).provider.create({
    ...common,
    roles,
    passwords: PASSWORDS,
    onRemoval: "disable-login",
  });
  await served(databaseProvider).provider.create({
    ...common,
    name: "app",
    owner: "dpg_cluster",
    extensions: [],
    access: { readWrite: ["app_readwrite"], readOnly: ["app_readonly"] },
    ...{ connect: [POOL_ROLE], functions: POOLS.functions },
  });
  return {
    trial,
    passwords: PASSWORDS,
    addresses: { replicaName: name, replicaAddress: name },
    async run(spec, ordinal, more = []) {
      const container = name(spec.name, ordinal);
      containers.push(container);
      const configuration = Object.entries(spec.configuration ?? {}).map(([path, { files }]) => [
        path,
        files,
      ]);
      await start(
        container,
        prefix,
        spec.image,
        { ...spec.env, REPLICA_ORDINAL: String(ordinal) },
        {
          ...(Object.fromEntries(configuration) as Record<string, Record<string, string>>),
          "/secrets/tls": await trial.issue(container, [container, "entry"]),
          ...(spec.image === "pgbouncer" && {
            "/secrets/pgbouncer": {
              "userlist.txt": userlist([{ name: POOL_ROLE, password: POOL_PASSWORD }]),
              "pool_auth-password": POOL_PASSWORD,
            },
          }),
        },
        [
          ...["--stop-timeout", String(spec.stopGraceSeconds)],
          ...(spec.scratch ?? []).flatMap((path) => ["--tmpfs", `${path}:mode=1777`]),
          ...more,
        ],
      );
    },
    ready: (workload, ordinal, command) =>
      eventually(`${name(workload, ordinal)} is ready`, 120_000, () =>
        dockerMeanwhile("exec", name(workload, ordinal), command),
      ),
    remove() {
      for (const container of containers) docker("rm", "--force", container);
      trial.remove();
    },
  };
}
