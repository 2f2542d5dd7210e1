import type { PersistentVolumeClaim, StatefulSet } from "../client";
import { bad, type Finding, good } from "../../finding";

/** Names of the claims of a StatefulSet's members. */
const claimsOf = ({ metadata, spec }: StatefulSet): readonly string[] =>
  (spec?.volumeClaimTemplates ?? []).flatMap((template) =>
    [...Array(spec?.replicas ?? 1).keys()].map(
      (ordinal) => `${template.metadata?.name ?? ""}-${metadata?.name ?? ""}-${ordinal}`,
    ),
  );

/** Why a volume has not been expanded yet, by the condition of its claim: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims */
const GROWTH: Readonly<Record<string, string>> = {
  ControllerResizeError: "the storage backend failed to expand it",
  NodeResizeError: "the node failed to expand its file system",
  FileSystemResizePending: "its file system is expanded when the pod restarts",
  Resizing: "it is being expanded",
};

/** Checks that each member has a volume of the requested size. Lists the claims of removed members, which are never deleted automatically. */
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
      return [bad(part, `${name} does not exist`, "it is recreated, empty, together with its pod")];
    const { phase = "unknown", capacity = {}, conditions = [] } = claim.status ?? {};
    if (phase === "Lost")
      return [bad(part, `${name} has lost its volume`, "docs/runbooks/member-lost.md, its volume is lost")];
    if (phase !== "Bound")
      return [
        bad(
          part,
          `${name} is ${phase}: it has no volume yet`,
          "see `events`: the storage class must exist and provision volumes on nodes where the pod can run",
        ),
      ];
    const growth = conditions.find(({ type, status }) => status === "True" && type in GROWTH);
    if (growth === undefined) return [];
    const [wanted, has] = [claim.spec?.resources?.requests?.["storage"], capacity["storage"]];
    const seen = `${name} has ${has ?? "?"} of ${wanted ?? "?"}: ${GROWTH[growth.type] ?? growth.type}${growth.message ? ` (${growth.message})` : ""}`;
    return [bad(part, seen, "`up` waits for the expansion, and reports what to do if it fails")];
  });
  const left = [...byName.keys()].filter((name) => !expected.includes(name)).sort();
  const kept = left.length === 0 ? "" : `; claims of removed members, yours to delete: ${left.join(", ")}`;
  return wrong.length > 0 ? wrong : [good(part, `${expected.length} bound to their volumes${kept}`)];
}
