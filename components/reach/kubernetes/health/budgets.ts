import type { PodDisruptionBudget } from "../client";
import { bad, type Finding, good } from "../../finding";

/** Checks that each workload has a disruption budget, and that the budget lets a node be drained: one member of a group at a time. */
export function judgeBudgets(
  budgets: readonly PodDisruptionBudget[],
  workloads: readonly string[],
): readonly Finding[] {
  const part = "disruption budgets";
  const nameOf = ({ metadata }: PodDisruptionBudget): string => metadata?.name ?? "";
  const without = workloads
    .filter((workload) => !budgets.some((budget) => nameOf(budget) === workload))
    .map((workload) =>
      bad(
        part,
        `${workload} has none: draining a node could evict all of its members at once`,
        "`up` creates it",
      ),
    );
  const wrong = budgets.flatMap((budget) => {
    const {
      expectedPods = 0,
      currentHealthy = 0,
      desiredHealthy = 0,
      disruptionsAllowed = 0,
    } = budget.status ?? {};
    const name = nameOf(budget);
    if (expectedPods === 0)
      return [
        bad(part, `${name} matches no pods, so it protects none`, "`up` restores its pods or its selector"),
      ];
    if (disruptionsAllowed > 0) return [];
    return desiredHealthy >= expectedPods
      ? [
          bad(
            part,
            `${name} never allows a disruption (${desiredHealthy} of ${expectedPods} must be healthy): draining a node waits forever`,
            "it was changed outside Pulumi: `up --refresh` restores it",
          ),
        ]
      : [
          bad(
            part,
            `${name} allows no disruption: ${currentHealthy} of ${expectedPods} members are healthy, ${desiredHealthy} must be`,
            "draining a node waits until the others are ready: repair them, and do not delete pods to speed it up",
          ),
        ];
  });
  const all = [...without, ...wrong];
  return all.length > 0
    ? all
    : [good(part, `${budgets.length}, each of which currently allows a disruption`)];
}
