import { ClusterCertificates } from "../components/cluster-certificates";
import { EtcdCluster } from "../components/etcd-cluster";
import { PatroniCluster } from "../components/patroni-cluster";
import type { Platform } from "../components/platform/platform";
import { entryNames, ProxyTier } from "../components/proxy-tier";
import type { StackSettings } from "./settings";

/** The composition, the same for every environment:
 *
 *   clients -> ProxyTier (HAProxy -> PgBouncer) -> PatroniCluster (PostgreSQL) -> EtcdCluster
 */
export function cluster(settings: StackSettings, platform: Platform) {
  const scope = settings.cluster;
  const production = settings.environment === "prod";

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
    ...settings.etcd,
  });
  const database = new PatroniCluster("patroni", {
    ...{ platform, certificates, etcd, scope, alsoKnownAs: entryNames(platform, settings.proxy?.entries) },
    ...settings.patroni,
  });
  const proxy = new ProxyTier("proxy", { platform, certificates, database, ...settings.proxy });

  return { certificates, etcd, database, proxy };
}
