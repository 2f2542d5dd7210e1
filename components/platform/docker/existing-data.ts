import { dockerEngine } from "./engine";
import { LABELS } from "./names";

/** Workloads of a cluster that have data volumes on the engine; none when the engine does not answer, which then says so itself. */
export async function workloadsWithData(cluster: string): Promise<ReadonlySet<string>> {
  try {
    const filters = { label: [`${LABELS.stack}=${cluster}`, LABELS.replica] };
    const { Volumes } = await dockerEngine().listVolumes({ filters: JSON.stringify(filters) });
    return new Set(Volumes.flatMap(({ Labels }) => Labels[LABELS.workload] ?? []));
  } catch {
    return new Set();
  }
}
