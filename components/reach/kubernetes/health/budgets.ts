import type { PodDisruptionBudget } from "../client";
import { bad, type Finding, good } from "../../finding";

/** Whether each workload has its budget, and a node can be drained: one member of a group may go at a time. */
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
        `${workload} has none: a drained node would take all of its members at once`,
        "`up` makes it",
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
      return [bad(part, `${name} finds no pod, and protects none`, "`up` makes its members or its selector")];
    if (disruptionsAllowed > 0) return [];
    return desiredHealthy >= expectedPods
      ? [
          bad(
            part,
            `${name} never allows a disruption (${desiredHealthy} of ${expectedPods} must be healthy): a drain waits for ever`,
            "somebody changed it: `up --refresh` puts it back",
          ),
        ]
      : [
          bad(
            part,
            `${name} allows no disruption: ${currentHealthy} of ${expectedPods} members are healthy, ${desiredHealthy} must be`,
            "a drain waits until the others are ready: mend them, and delete no pod to hurry",
          ),
        ];
  });
  const all = [...without, ...wrong];
  return all.length > 0
    ? all
    : [good(part, `${budgets.length}, each of which lets one member go at this moment`)];
}
