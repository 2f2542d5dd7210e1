import { resolveClusterCertificates } from "../components/cluster-certificates";
import { resolveEtcdCluster } from "../components/etcd-cluster";
import { resolvePatroniCluster } from "../components/patroni-cluster-args";
import type { Problem } from "../components/problems";
import { ENTRY_PORT_STEP, resolveProxyTier, usableConnections } from "../components/proxy-tier-args";
import type { Environment, ExposedPort } from "./environment";
import type { StackSettings } from "./settings";

/**
 * Asks every component what it finds wrong with its settings, so that one run shows everything and no resource exists yet. Each
 * component asks itself again when it is made: other programs use them without this one.
 */
export async function problemsOf(
  settings: StackSettings,
  environment: Environment,
): Promise<readonly Problem[]> {
  const scope = settings.cluster;
  const patroni = resolvePatroniCluster({ scope, ...settings.patroni });
  const proxy = resolveProxyTier(settings.proxy ?? {}, usableConnections(patroni.value.parameters));
  const problems = [
    ...resolveClusterCertificates(settings.certificates ?? {}).problems,
    ...resolveEtcdCluster({ scopes: [scope], production: settings.environment === "prod", ...settings.etcd })
      .problems,
    ...patroni.problems,
    ...proxy.problems,
  ];
  const exposed: ExposedPort[] = Object.entries(proxy.value.ports).flatMap(([name, first]) =>
    [...Array(proxy.value.entries).keys()].map((entry) => ({
      setting: `proxy.ports.${name}`,
      port: first + entry * ENTRY_PORT_STEP,
    })),
  );
  // Ports that cannot be used at all need no look at who has them.
  const found = proxy.problems.length > 0 ? [] : exposed;
  return [...problems, ...(await environment.problems(settings, found))];
}
