// Compares the state with what is really there, and makes the state say what is.

import { messageOf } from "./fault";
import { equal, isObject, type Properties, unwrapAll } from "./properties";
import { PROVIDER_PREFIX, providerOf, runningOf, type Session } from "./session";
import type { ResourceState } from "./state";
import { Steps } from "./steps";

export async function refresh(session: Session): Promise<void> {
  const { snapshot } = session;
  const steps = new Steps(session);
  const real = snapshot
    .resources()
    .filter(
      (each) => each.custom && !each.type.startsWith(PROVIDER_PREFIX) && each.pendingReplacement !== true,
    );
  for (const each of snapshot.resources())
    if (!real.includes(each) && !each.type.startsWith(PROVIDER_PREFIX)) session.display.count("same");
  const gone = await Promise.all(
    real.map((each) => session.limiter.run(() => refreshOne(session, steps, each))),
  );
  forget(session, new Set(gone.filter((urn) => urn !== undefined)));
}

/** The URN of a resource that is no more. */
async function refreshOne(session: Session, steps: Steps, state: ResourceState): Promise<string | undefined> {
  const { snapshot, display } = session;
  try {
    const provider = providerOf(session, state.type, state.provider);
    const running = runningOf(state, "read");
    const found = await provider.read(running, unwrapAll(state.inputs ?? {}), unwrapAll(state.outputs ?? {}));
    if (found === undefined) {
      display.begin("delete", state.urn).done("(it is gone)");
      display.count("delete");
      snapshot.settle({ remove: state });
      return state.delete === true ? undefined : state.urn;
    }
    const outputs = steps.protectOutputs(state, found.outputs);
    const inputs = found.inputs ?? state.inputs;
    const same =
      equal(comparable(outputs), comparable(state.outputs ?? {})) &&
      equal(inputs, state.inputs) &&
      found.id === state.id;
    display.count(same ? "same" : "update");
    if (same) return undefined;
    const changed = Object.keys(outputs).filter(
      (key) => !key.startsWith("__") && !equal(outputs[key], state.outputs?.[key]),
    );
    display.begin("refresh", state.urn).done(`[${changed.join(", ")}]`);
    snapshot.substitute(state, {
      ...state,
      id: found.id,
      inputs,
      outputs,
      initErrors: state.taint === true ? state.initErrors : undefined,
      modified: new Date().toISOString(),
    });
    return undefined;
  } catch (error) {
    // Not being able to look is not the same as not being there.
    display.diagnostic("error", state.urn, messageOf(error));
    return undefined;
  }
}

/** The provider's bookkeeping is not part of the resource. */
function comparable(outputs: Properties): Properties {
  return Object.fromEntries(
    Object.entries(outputs).filter(
      ([key, value]) => key !== "__provider" && !(key.startsWith("__pulumi") && isObject(value)),
    ),
  );
}

/** Takes what is gone out of the dependencies of what is still there: a state may not refer to nothing. */
function forget(session: Session, gone: ReadonlySet<string>): void {
  if (gone.size === 0) return;
  const { snapshot } = session;
  const without = (urns: readonly string[]): readonly string[] => urns.filter((urn) => !gone.has(urn));
  for (const state of snapshot.resources()) {
    const next: ResourceState = {
      ...state,
      dependencies: state.dependencies && without(state.dependencies),
      propertyDependencies:
        state.propertyDependencies &&
        Object.fromEntries(
          Object.entries(state.propertyDependencies).map(([key, urns]) => [key, without(urns)]),
        ),
      deletedWith:
        state.deletedWith !== undefined && gone.has(state.deletedWith) ? undefined : state.deletedWith,
    };
    if (JSON.stringify(next) !== JSON.stringify(state)) snapshot.substitute(state, next);
  }
}
