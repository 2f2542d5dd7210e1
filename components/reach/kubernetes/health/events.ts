import type { Event, Pod, StatefulSet } from "../client";
import { bad, type Finding, good } from "../../finding";

/** Longer ago than the slowest of what is tried again. */
const RECENT_MS = 10 * 60_000;

/** By reason and message. */
const REMEDIES: readonly [RegExp, string][] = [
  [/FailedScheduling/, "give the Kubernetes cluster room for it, or lower `memory` and `cpu`"],
  [
    /FailedMount|FailedAttachVolume/,
    "a volume goes to another node when the former lets go of it: is that node off? (docs/runbooks/node-lost.md)",
  ],
  [/FailedCreate/, "a quota or an admission rule of the namespace refuses the pod: the message names it"],
  [
    /pull(ing)? image|ErrImage|ImagePull/,
    "images.registry, images.tags and kubernetes.imagePullSecret say where the image comes from; or see its log",
  ],
  [/ProvisioningFailed/, "kubernetes.storageClass must exist, and have room"],
];

/** What was lately complained of about pods that are not ready, and about what makes pods and volumes. Of pods that are ready it is over. */
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
  if (last.size === 0) return [good("events", "none that explains a pod which is not ready")];
  return [...last.values()].map(({ reason = "", message = "", count = 1, involvedObject }) => {
    const remedy = REMEDIES.find(([pattern]) => pattern.test(`${reason}: ${message}`))?.[1];
    const times = count > 1 ? ` (${count} times)` : "";
    const seen = `${involvedObject?.name ?? ""}: ${reason}: ${message.trim()}${times}`;
    return bad("events", seen, remedy ?? "its log says more");
  });
}
