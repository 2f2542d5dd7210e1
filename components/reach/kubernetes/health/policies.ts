import type { NetworkPolicy } from "../client";
import { bad, type Finding, good } from "../../finding";

const WORKLOAD = "app.kubernetes.io/name";

/** Whether the policies are there for every workload. The API server accepts them also where the cluster's network does not enforce any. */
export function judgePolicies(
  policies: readonly NetworkPolicy[],
  workloads: readonly string[],
): readonly Finding[] {
  const part = "network policies";
  const labels = policies.map(({ spec }) => spec?.podSelector?.matchLabels ?? {});
  const denied = policies.some(
    ({ spec }, i) => labels[i]?.[WORKLOAD] === undefined && spec?.policyTypes?.includes("Ingress"),
  );
  const without = workloads.filter((workload) => !labels.some((each) => each[WORKLOAD] === workload));
  const missing = [...(denied ? [] : ["the one that denies what no other admits"]), ...without];
  return missing.length > 0
    ? [bad(part, `missing: ${missing.join(", ")}`, "`up --refresh` makes them")]
    : [
        good(
          part,
          `${policies.length} accepted, for every workload; whether the cluster's network enforces them it does not tell`,
        ),
      ];
}
