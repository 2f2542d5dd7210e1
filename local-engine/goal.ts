// What the program wants of a resource, and what the state says of it.

import type { AliasSpec, Wish } from "./plan";
import { identical, type Properties, type Value } from "./properties";
import type { ResourceState } from "./state";
import { STACK_TYPE } from "./urn";

/** A resource as the program wants it. */
export interface Goal extends Wish {
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  readonly parent: string;
  readonly inputs: Properties;
  readonly dependencies: readonly string[];
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  /** Reference to a provider resource; empty for the default one. */
  readonly provider: string;
  readonly version: string;
  readonly additionalSecretOutputs: readonly string[];
  readonly aliases: readonly AliasSpec[];
  readonly customTimeouts: Readonly<Record<string, number>>;
  readonly retainOnDelete: boolean;
  readonly deletedWith: string;
  readonly replaceWith: readonly string[];
  readonly resourceHooks: Readonly<Record<string, readonly string[]>>;
  readonly importId: string;
}

/** What a goal says of a resource, before anything is done about it. */
export function stateOf(
  urn: string,
  goal: Goal,
  inputs: Properties,
  provider: string | undefined,
): ResourceState {
  const some = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined);
  const timeouts = Object.keys(goal.customTimeouts).length > 0 ? goal.customTimeouts : undefined;
  const hooks = Object.keys(goal.resourceHooks).length > 0 ? goal.resourceHooks : undefined;
  return {
    urn,
    custom: goal.custom,
    type: goal.type,
    inputs,
    parent: goal.parent || undefined,
    protect: goal.protect || undefined,
    dependencies: some(goal.dependencies),
    provider,
    propertyDependencies: goal.type === STACK_TYPE ? undefined : goal.propertyDependencies,
    additionalSecretOutputs: some(goal.additionalSecretOutputs),
    customTimeouts: timeouts,
    retainOnDelete: goal.retainOnDelete || undefined,
    deletedWith: goal.deletedWith || undefined,
    replaceWith: some(goal.replaceWith),
    ignoreChanges: some(goal.ignoreChanges),
    replaceOnChanges: some(goal.replaceOnChanges),
    resourceHooks: hooks,
  };
}

/** The old state where it says the same, or its parts that do: what is not touched keeps its ciphertexts. */
export function reuse(old: ResourceState, state: ResourceState): ResourceState {
  if (identical(old as unknown as Value, state as unknown as Value)) return old;
  const keep = (before: Properties | undefined, now: Properties | undefined): Properties | undefined =>
    identical(before, now) ? before : now;
  return { ...state, inputs: keep(old.inputs, state.inputs), outputs: keep(old.outputs, state.outputs) };
}
