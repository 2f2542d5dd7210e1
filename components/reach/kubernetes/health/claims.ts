import type { PersistentVolumeClaim, StatefulSet } from "../client";
import { bad, type Finding, good } from "../../finding";

/** Names of the claims that members of a StatefulSet have. */
const claimsOf = ({ metadata, spec }: StatefulSet): readonly string[] =>
  (spec?.volumeClaimTemplates ?? []).flatMap((template) =>
    [...Array(spec?.replicas ?? 1).keys()].map(
      (ordinal) => `${template.metadata?.name ?? ""}-${metadata?.name ?? ""}-${ordinal}`,
    ),
  );

/** What keeps a volume from growing, by the conditions of its claim: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims */
const GROWTH: Readonly<Record<string, string>> = {
  ControllerResizeError: "its storage refuses to grow it",
  NodeResizeError: "its node cannot grow the file system",
  FileSystemResizePending: "the file system grows when its pod is started anew",
  Resizing: "it is growing",
};

/** Whether each member has its volume, and volumes are as large as was asked for. Claims of members that left are named: nobody deletes them. */
export function judgeClaims(
  claims: readonly PersistentVolumeClaim[],
  sets: readonly StatefulSet[],
): readonly Finding[] {
  const part = "claims";
  const byName = new Map(claims.map((claim) => [claim.metadata?.name ?? "", claim]));
  const expected = sets.flatMap(claimsOf);
  const wrong = expected.flatMap((name): Finding[] => {
    const claim = byName.get(name);
    if (claim === undefined)
      return [bad(part, `${name} is not there`, "it is made with its pod, which is started without data")];
    const { phase = "unknown", capacity = {}, conditions = [] } = claim.status ?? {};
    if (phase === "Lost")
      return [bad(part, `${name} has lost its volume`, "docs/runbooks/member-lost.md, its volume is lost")];
    if (phase !== "Bound")
      return [
        bad(
          part,
          `${name} is ${phase}: it has no volume yet`,
          "see `events`: the storage class must exist, and make volumes where the pod may run",
        ),
      ];
    const growth = conditions.find(({ type, status }) => status === "True" && type in GROWTH);
    if (growth === undefined) return [];
    const [wanted, has] = [claim.spec?.resources?.requests?.["storage"], capacity["storage"]];
    const seen = `${name} has ${has ?? "?"} of ${wanted ?? "?"}: ${GROWTH[growth.type] ?? growth.type}${growth.message ? ` (${growth.message})` : ""}`;
    return [bad(part, seen, "`up` waits for it, and says what to do when it does not come")];
  });
  const left = [...byName.keys()].filter((name) => !expected.includes(name)).sort();
  const kept =
    left.length === 0 ? "" : `; of members that left there are ${left.join(", ")}, yours to delete`;
  return wrong.length > 0 ? wrong : [good(part, `${expected.length} bound to their volumes${kept}`)];
}
