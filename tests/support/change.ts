import { renderDocker } from "../../components/platforms/docker/render";
import { renderKubernetes, templateDigest } from "../../components/platforms/kubernetes/render";
import type { WorkloadSpec } from "../../components/platforms/workload";
import type { Cost } from "../../components/settings/setting";
import { findSetting } from "../../config-files/postgres/settings";
import { DOCKER, KUBERNETES } from "../unit/platforms/contexts";
import type { RecordedStack } from "./specs";

export type Costs = Readonly<Record<"docker" | "kubernetes", Cost>>;

interface DynamicConfiguration {
  readonly postgresql?: { readonly parameters?: Readonly<Record<string, unknown>> };
}

type ByName<T> = ReadonlyMap<string, T>;

const byName = <T>(specs: readonly WorkloadSpec[], of: (spec: WorkloadSpec) => T): ByName<T> =>
  new Map(specs.map((spec) => [spec.name, of(spec)]));

const inputsOf = <T>({ resources }: RecordedStack, type: RegExp): ByName<T> =>
  new Map(resources.filter((r) => type.test(r.type)).map(({ name, inputs }) => [name, inputs as T]));

/** The names of what is another in both, or in one of them only. */
const differs = <T>(before: ByName<T>, after: ByName<T>): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => JSON.stringify(before.get(name)) !== JSON.stringify(after.get(name)),
  );

/** As `differs`, of what is in both. */
const changes = <T>(before: ByName<T>, after: ByName<T>): readonly string[] =>
  differs(before, after).filter((name) => before.has(name) && after.has(name));

/** What of Patroni's dynamic configuration changes, if anything does. */
function configurationChange(before: RecordedStack, after: RecordedStack): "restart" | "reload" | undefined {
  const of = (stack: RecordedStack): ByName<DynamicConfiguration> =>
    new Map(
      [...inputsOf<{ readonly configuration: string }>(stack, /:PatroniConfiguration$/)].map(
        ([name, inputs]) => [name, JSON.parse(inputs.configuration) as DynamicConfiguration],
      ),
    );
  const [old, now] = [of(before), of(after)];
  const changed = changes(old, now);
  const parameters = (group: DynamicConfiguration | undefined) =>
    new Map(Object.entries(group?.postgresql?.parameters ?? {}));
  const restarts = changed.some((name) =>
    differs(parameters(old.get(name)), parameters(now.get(name))).some(
      (parameter) => findSetting(parameter)?.change === "restart",
    ),
  );
  return restarts ? "restart" : changed.length > 0 ? "reload" : undefined;
}

/** Files that running programs read anew. Patroni reads those of its bootstrap once, when the cluster is made. */
const reloaded = ({ configuration = {} }: WorkloadSpec) =>
  Object.entries(configuration).filter(
    ([path, { onChange }]) => onChange === "reload" && path !== "/etc/patroni-bootstrap",
  );

/** The most that it costs to go from one stack to the other, by what is declared. */
export function costsBetween(before: RecordedStack, after: RecordedStack): Costs {
  const changed = (of: (spec: WorkloadSpec) => unknown): boolean =>
    changes(byName(before.specs, of), byName(after.specs, of)).length > 0;
  const replicas = (stack: RecordedStack) => byName(stack.specs, (spec) => spec.replicas);
  const certificates = (stack: RecordedStack) => inputsOf(stack, /certificates:/);
  const configuration = configurationChange(before, after);
  const rest = (): Cost => {
    if (differs(replicas(before), replicas(after)).length > 0) return "members";
    if (configuration === "restart") return "restart";
    const files = changed(reloaded) || changes(certificates(before), certificates(after)).length > 0;
    return configuration === "reload" || files ? "reload" : "none";
  };
  // The first member stands for all: more or fewer of them are no change of one.
  const docker = (spec: WorkloadSpec) => renderDocker(spec, DOCKER).members[0]?.digest;
  const kubernetes = (spec: WorkloadSpec) => templateDigest(renderKubernetes(spec, KUBERNETES).statefulSet);
  return {
    docker: changed(docker) ? "replacement" : rest(),
    kubernetes: changed(kubernetes) || podsChange(before, after) ? "replacement" : rest(),
  };
}

/** Pods of stacks that were declared on Kubernetes: what the platform itself is told is in them, too. */
function podsChange(before: RecordedStack, after: RecordedStack): boolean {
  const pods = (stack: RecordedStack): ByName<string> =>
    new Map(
      [...inputsOf<Parameters<typeof templateDigest>[0]>(stack, /:StatefulSet$/)].map(([name, set]) => [
        name,
        templateDigest(set),
      ]),
    );
  return changes(pods(before), pods(after)).length > 0;
}
