// What is to be done about a resource, decided from plain values: nothing here calls a provider or changes anything.

import { changedKeys, parsePath, pathContains, type Properties, resetPath, UNKNOWN } from "./properties";
import type { ResourceState } from "./state";
import { makeUrn, parseUrn, providerUrn, STACK_TYPE } from "./urn";

/** What a provider says about the difference between what is and what is wanted. */
export interface Diff {
  /** Undefined: the provider does not know; the inputs are compared. */
  readonly changes: boolean | undefined;
  readonly changedKeys?: readonly string[];
  readonly replaceKeys: readonly string[];
  readonly deleteBeforeReplace?: boolean;
}

export interface Wish {
  readonly protect: boolean;
  readonly deleteBeforeReplace: boolean | undefined;
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
}

export type Decision =
  | { readonly op: "same" | "update" }
  | { readonly op: "replace"; readonly keys: readonly string[]; readonly deleteFirst: boolean };

export function applyIgnoreChanges(olds: Properties, news: Properties, paths: readonly string[]): Properties {
  return paths.reduce<Properties>(
    (result, path) => resetPath(olds, result, parsePath(path)) as Properties,
    news,
  );
}

/** Fills in what a provider left open, by comparing the inputs. */
export function completeDiff(diff: Diff, olds: Properties, news: Properties): Diff {
  if (diff.changes !== undefined) return diff;
  const keys = changedKeys(olds, news);
  return { ...diff, changes: keys.length > 0 || diff.replaceKeys.length > 0, changedKeys: keys };
}

/** Changed keys that the program wants a replacement for. */
export function forcedReplacements(diff: Diff, replaceOnChanges: readonly string[]): string[] {
  const paths = replaceOnChanges.map(parsePath);
  const forced = (diff.changedKeys ?? []).filter((key) =>
    paths.some((path) => pathContains(path, [key]) || path[0] === key),
  );
  return [...new Set([...diff.replaceKeys, ...forced])];
}

export function decide(old: ResourceState, wish: Wish, diff: Diff): Decision {
  const initErrors = (old.initErrors?.length ?? 0) > 0;
  const keys =
    diff.changes === true ? forcedReplacements(diff, wish.replaceOnChanges) : [...diff.replaceKeys];
  if (initErrors && wish.replaceOnChanges.includes("*")) keys.push("#initerror");
  if (old.taint === true) keys.push("#tainted");
  if (keys.length > 0 || old.pendingReplacement === true) {
    return {
      op: "replace",
      keys,
      deleteFirst: wish.deleteBeforeReplace ?? diff.deleteBeforeReplace ?? false,
    };
  }
  // A resource that never became ready gets another update, to go on waiting.
  return { op: diff.changes === true || initErrors ? "update" : "same" };
}

/** Everything that one resource stands on, for the order of deletes. */
export function dependenciesOf(resource: ResourceState): string[] {
  return [
    ...(resource.dependencies ?? []),
    ...Object.values(resource.propertyDependencies ?? {}).flat(),
    ...(resource.parent === undefined ? [] : [resource.parent]),
    ...(resource.provider === undefined ? [] : [providerUrn(resource.provider)]),
    ...(resource.deletedWith === undefined ? [] : [resource.deletedWith]),
  ];
}

export const isProtected = (resource: ResourceState): boolean =>
  resource.protect === true && resource.delete !== true;

/** The resources that `choose` picks, with everything that they stand on. */
export function withFoundations(
  resources: readonly ResourceState[],
  choose: (resource: ResourceState) => boolean,
): ReadonlySet<ResourceState> {
  const found = new Set(resources.filter(choose));
  // Resources stand after what they depend on, so one pass from the end meets every dependency after its dependents.
  for (const each of [...resources].reverse()) {
    if (!found.has(each)) continue;
    const needed = new Set(dependenciesOf(each));
    for (const other of resources) if (needed.has(other.urn)) found.add(other);
  }
  return found;
}

/**
 * Resources that may have to be deleted before `root` is, because it is deleted before its replacement exists:
 * everything that depends on it, directly or not, in dependency order. Which of them really must go is for their
 * providers to say (`inputsWithout`); being a child alone does not count.
 */
export function dependents(root: ResourceState, resources: readonly ResourceState[]): ResourceState[] {
  const reached = new Set([root.urn]);
  const found: ResourceState[] = [];
  for (const candidate of resources.slice(resources.indexOf(root) + 1)) {
    const edges = dependenciesOf({ ...candidate, parent: undefined });
    if (candidate.urn !== root.urn && edges.some((urn) => reached.has(urn))) {
      reached.add(candidate.urn);
      found.push(candidate);
    }
  }
  return found;
}

/**
 * The inputs that a dependent will have once the resources in `gone` are no more, for its provider's diff; undefined
 * if no input comes from them. That is why a mere dependsOn never drags a resource into another one's replacement.
 */
export function inputsWithout(resource: ResourceState, gone: ReadonlySet<string>): Properties | undefined {
  const affected = Object.entries(resource.propertyDependencies ?? {})
    .filter(([key, urns]) => resource.inputs?.[key] !== undefined && urns.some((urn) => gone.has(urn)))
    .map(([key]) => [key, UNKNOWN] as const);
  return affected.length === 0 ? undefined : { ...resource.inputs, ...Object.fromEntries(affected) };
}

/** For each resource to delete: those that must be gone before it. */
export function deleteOrder(resources: readonly ResourceState[]): Map<ResourceState, ResourceState[]> {
  return new Map(
    resources.map((resource) => [
      resource,
      resources.filter(
        (other) =>
          other !== resource && other.urn !== resource.urn && dependenciesOf(other).includes(resource.urn),
      ),
    ]),
  );
}

export interface AliasSpec {
  readonly urn?: string;
  readonly name?: string;
  readonly type?: string;
  readonly stack?: string;
  readonly project?: string;
  readonly parent?: string;
  readonly noParent?: boolean;
}

export interface Identity {
  readonly stack: string;
  readonly project: string;
  readonly name: string;
  readonly type: string;
  readonly parent: string;
}

/**
 * The URNs that a resource may have had before, from its own aliases and from those under which its parents were
 * found (`renamed`: new URN to old one): a child of a renamed parent has another URN too, and often a name that
 * begins with the parent's.
 */
export function aliasUrns(
  self: Identity,
  specs: readonly AliasSpec[],
  renamed: ReadonlyMap<string, string>,
): string[] {
  const own = specs.map((spec) => {
    if (spec.urn !== undefined) return spec.urn;
    const named = spec.parent ?? self.parent;
    const parent = spec.parent === undefined ? named : (renamed.get(named) ?? named);
    const top = spec.noParent === true || parent === "" || parseUrn(parent).type === STACK_TYPE;
    return makeUrn(
      spec.stack ?? self.stack,
      spec.project ?? self.project,
      top ? "" : parent,
      spec.type ?? self.type,
      spec.name ?? self.name,
    );
  });
  const parentBefore = renamed.get(self.parent);
  if (parentBefore === undefined) return [...new Set(own)];
  const parentName = parseUrn(self.parent).name;
  const inherit = (type: string, name: string): string => {
    const before = name.startsWith(parentName)
      ? parseUrn(parentBefore).name + name.slice(parentName.length)
      : name;
    return makeUrn(self.stack, self.project, parentBefore, type, before);
  };
  const inherited = own.map((urn) => inherit(parseUrn(urn).type, parseUrn(urn).name));
  return [...new Set([...own, inherit(self.type, self.name), ...inherited])];
}
