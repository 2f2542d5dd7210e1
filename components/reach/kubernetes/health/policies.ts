import type { NetworkPolicy } from "../client";
import { bad, type Finding, good } from "../../finding";

const WORKLOAD = "app.kubernetes.io/name";

/** Checks that every workload has its policies. The API server also accepts policies if the cluster's network plugin does not enforce them. */
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
  const missing = [...(denied ? [] : ["the default deny policy"]), ...without];
  return missing.length > 0
    ? [bad(part, `missing: ${missing.join(", ")}`, "`up --refresh` recreates them")]
    : [
        good(
          part,
          `${policies.length}, for every workload (whether the network plugin enforces them cannot be checked here)`,
        ),
      ];
}
