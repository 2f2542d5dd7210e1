import type { Event, Pod, StatefulSet } from "../client";
import { bad, type Finding, good } from "../../finding";

/** Longer than the longest retry interval, so that a problem that persists is always included. */
const RECENT_MS = 10 * 60_000;

/** Matched against `<reason>: <message>`. */
const REMEDIES: readonly [RegExp, string][] = [
  [/FailedScheduling/, "add capacity to the Kubernetes cluster, or lower `memory` and `cpu`"],
  [
    /FailedMount|FailedAttachVolume/,
    "a volume can only be attached once the previous node has released it: is that node down? (docs/runbooks/node-lost.md)",
  ],
  [/FailedCreate/, "a quota or an admission policy of the namespace rejects the pod: the message names it"],
  [
    /pull(ing)? image|ErrImage|ImagePull/,
    "images.registry, images.tags and kubernetes.imagePullSecret must be correct; otherwise see the pod's log",
  ],
  [/ProvisioningFailed/, "kubernetes.storageClass must exist and have free capacity"],
];

/** Recent warnings about claims, incomplete StatefulSets and pods that are not ready. Warnings about a pod that is ready now are outdated. */
export function judgeEvents(
  events: readonly Event[],
  pods: readonly Pod[],
  sets: readonly StatefulSet[],
  claims: readonly string[],
  now: Date,
): readonly Finding[] {
  const isReady = ({ status }: Pod): boolean =>
    status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;
  const unready = pods.filter((pod) => !isReady(pod)).map(({ metadata }) => metadata?.name);
  const incomplete = sets
    .filter(({ metadata, spec }) => {
      const has = pods.filter(({ metadata: pod }) => pod?.name?.startsWith(`${metadata?.name ?? ""}-`));
      return has.length < (spec?.replicas ?? 1);
    })
    .map(({ metadata }) => metadata?.name);
  const about: Readonly<Record<string, readonly (string | undefined)[]>> = {
    Pod: unready,
    StatefulSet: incomplete,
    PersistentVolumeClaim: claims,
  };
  const at = ({ lastTimestamp, eventTime }: Event): number =>
    new Date(lastTimestamp ?? eventTime ?? 0).getTime();
  const last = new Map<string, Event>();
  for (const event of [...events].sort((a, b) => at(a) - at(b))) {
    const { kind = "", name } = event.involvedObject ?? {};
    if (event.type !== "Warning" || now.getTime() - at(event) > RECENT_MS) continue;
    if (about[kind]?.includes(name)) last.set(`${name ?? ""} ${event.reason ?? ""}`, event);
  }
  if (last.size === 0) return [good("events", "no recent warnings about pods that are not ready")];
  return [...last.values()].map(({ reason = "", message = "", count = 1, involvedObject }) => {
    const remedy = REMEDIES.find(([pattern]) => pattern.test(`${reason}: ${message}`))?.[1];
    const times = count > 1 ? ` (${count} times)` : "";
    const seen = `${involvedObject?.name ?? ""}: ${reason}: ${message.trim()}${times}`;
    return bad("events", seen, remedy ?? "see its log");
  });
}
