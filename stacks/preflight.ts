import { resolveCitusCoordinator } from "../components/citus-coordinator";
import { resolveClusterCertificates } from "../components/cluster-certificates";
import { resolveEtcdCluster } from "../components/etcd-cluster";
import { resolvePatroniCluster } from "../components/patroni-cluster-args";
import type { Problem } from "../components/settings/problems";
import type { ExposedPort } from "../components/platforms/docker/host-ports";
import { ENTRY_PORT_STEP, resolveProxyTier } from "../components/proxy-tier-args";
import { resolveWorkerPool } from "../components/worker-pool-args";
import { guestConnections } from "../components/guests/contribution";
import type { Environment } from "./environment";
import { GUESTS } from "./guests";
import { coordinatorSettings, type StackSettings, workerSettings } from "./settings";
import { asWritten } from "./written";

/**
 * Collects the problems that every component finds in its settings, so that one run reports all of them before any resource exists. Each
 * component checks again when it is constructed, because other programs use components without this check.
 */
export async function problemsOf(
  settings: StackSettings,
  environment: Environment,
  distributed: boolean,
): Promise<readonly Problem[]> {
  const scope = settings.cluster;
  const production = settings.environment === "prod";
  const guests = GUESTS.database;
  const database = distributed
    ? resolveCitusCoordinator({ scope, guests, ...coordinatorSettings(settings) })
    : resolvePatroniCluster({ scope, guests, ...settings.patroni });
  const { parameters } = database.value;
  const workers = distributed
    ? resolveWorkerPool({ scope, production, guests, ...workerSettings(settings) }, parameters)
    : undefined;
  const proxy = resolveProxyTier(settings.proxy ?? {}, {
    parameters,
    ofGuests: guestConnections(guests),
    setting: `${settings.coordinator?.parameters?.["max_connections"] === undefined ? "patroni" : "coordinator"}.parameters.max_connections`,
  });
  const problems = [
    ...resolveClusterCertificates(settings.certificates ?? {}).problems,
    ...resolveEtcdCluster({ scopes: [scope], production, ...settings.etcd }).problems,
    ...asWritten([...database.problems, ...(workers?.problems ?? [])], settings),
    ...proxy.problems,
  ];
  const exposed: ExposedPort[] = Object.entries(proxy.value.ports).flatMap(([name, first]) =>
    [...Array(proxy.value.entries).keys()].map((entry) => ({
      setting: `proxy.ports.${name}`,
      ...{ value: first, entry },
      port: first + entry * ENTRY_PORT_STEP,
    })),
  );
  const declared = {
    // Whether ports are taken only matters if they are valid.
    ports: proxy.problems.length > 0 ? [] : exposed,
    workerGroups: workers?.value.groups.map(({ group }) => group) ?? [],
  };
  return [...problems, ...(await environment.problems(settings, declared))];
}
