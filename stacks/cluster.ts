import { CitusCoordinator } from "../components/citus-coordinator";
import { ClusterCertificates } from "../components/cluster-certificates";
import { EtcdCluster } from "../components/etcd-cluster";
import { PatroniCluster } from "../components/patroni-cluster";
import type { Platform } from "../components/platforms/platform";
import { entryNames, ProxyTier } from "../components/proxy-tier";
import { WorkerPool } from "../components/worker-pool";
import { GUESTS } from "./guests";
import { coordinatorSettings, type StackSettings, workerSettings } from "./settings";

/** The composition of components, the same for every environment:
 *
 *   clients -> ProxyTier (HAProxy -> PgBouncer) -> CitusCoordinator -> WorkerPool     all of PostgreSQL under Patroni -> EtcdCluster
 *
 * Without Citus, a PatroniCluster takes the place of the coordinators and workers.
 */
export function cluster(settings: StackSettings, platform: Platform, distributed: boolean) {
  const scope = settings.cluster;
  const production = settings.environment === "prod";
  const alsoKnownAs = entryNames(platform, settings.proxy);

  const certificates = new ClusterCertificates("certificates", {
    platform,
    cluster: scope,
    ...settings.certificates,
  });
  const etcd = new EtcdCluster("etcd", {
    platform,
    certificates,
    scopes: [scope],
    production,
    guests: GUESTS.etcd,
    ...settings.etcd,
  });
  const common = { platform, certificates, etcd, scope, alsoKnownAs, guests: GUESTS.database };
  const front = { platform, certificates, guests: GUESTS, ...settings.proxy };
  if (!distributed) {
    const database = new PatroniCluster("patroni", { ...common, ...settings.patroni });
    const proxy = new ProxyTier("proxy", { ...front, database });
    return { certificates, etcd, database, workers: undefined, proxy };
  }
  const database = new CitusCoordinator("coordinator", { ...common, ...coordinatorSettings(settings) });
  const workers = new WorkerPool("workers", {
    coordinator: database,
    production,
    ...workerSettings(settings),
  });
  const proxy = new ProxyTier("proxy", { ...front, database });
  return { certificates, etcd, database, workers, proxy };
}
