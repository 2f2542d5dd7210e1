import { dockerEngine } from "../../reach/docker/engine";
import { LABELS } from "../../reach/docker/names";
import { removeHelpers, volumeHas } from "../../reach/docker/volume-files";

/** Workloads of a cluster that have data volumes on the engine. Empty if the engine does not answer, which is reported elsewhere. */
export async function workloadsWithData(cluster: string): Promise<ReadonlySet<string>> {
  try {
    const filters = { label: [`${LABELS.stack}=${cluster}`, LABELS.replica] };
    const { Volumes } = await dockerEngine().listVolumes({ filters: JSON.stringify(filters) });
    return new Set(Volumes.flatMap(({ Labels }) => Labels[LABELS.workload] ?? []));
  } catch {
    return new Set();
  }
}

/**
 * Data volumes of these workloads that no healthy container uses and that contain `file`, which a workload leaves there when it is removed.
 * The volume of a healthy member has no such file. Empty if the engine does not answer.
 */
export async function abandonedVolumes(
  cluster: string,
  workloads: readonly string[],
  file: string,
): Promise<readonly { readonly workload: string; readonly volume: string }[]> {
  const engine = dockerEngine();
  const label = [`${LABELS.stack}=${cluster}`];
  const [listed, containers] = await Promise.all([
    engine.listVolumes({ filters: JSON.stringify({ label }) }),
    engine.listContainers({ all: true, filters: { label } }),
  ]).catch(() => [{ Volumes: [] }, []] as const);
  const healthy = containers.filter(({ Status }) => Status.endsWith("(healthy)"));
  const used = new Set(healthy.flatMap(({ Mounts }) => Mounts.map(({ Name }) => Name)));
  const found = listed.Volumes.filter(({ Name }) => !used.has(Name))
    .map(({ Name, Labels }) => ({ volume: Name, workload: Labels[LABELS.workload] ?? "" }))
    .filter(({ workload }) => workloads.includes(workload))
    .map(async (one) => {
      await removeHelpers(engine, one.volume);
      return (await volumeHas(engine, one.volume, file)) ? [one] : [];
    });
  return (await Promise.all(found)).flat();
}
