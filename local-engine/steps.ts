// Carries out single steps: tells the display, records in the state what is under way and what came of it.

import type { Op } from "./display";
import { messageOf } from "./fault";
import { Cancelled } from "./limiter";
import { annotateSecrets, markSecret, type Properties, unwrapAll } from "./properties";
import { InitFailed } from "./providers/provider";
import { PROVIDER_PREFIX, providerOf, runningOf, type Session } from "./session";
import type { Operation, OperationKind, ResourceState } from "./state";

/** The step failed; the person has been told. */
export class StepFailed extends Error {}

export class Steps {
  constructor(private readonly session: Session) {}

  /**
   * `replaces` is the resource that this one takes the place of: one that was deleted already leaves the state now,
   * any other one stays there, marked, until the end of the run.
   */
  create(next: ResourceState, op: Op, replaces?: ResourceState): Promise<ResourceState> {
    const { snapshot, dryRun, hooks } = this.session;
    return this.step(op, "creating", next, async (status, operation) => {
      await hooks.run("before_create", next, undefined, next);
      const inputs = next.inputs ?? {};
      const now = new Date().toISOString();
      let created: ResourceState;
      let failure: InitFailed | undefined;
      if (dryRun) {
        // What a provider will add is unknown: the SDK takes every output that is missing as such.
        const news = unwrapAll(inputs);
        const outputs = providerOf(this.session, next.type, next.provider).preview?.(news) ?? news;
        created = { ...next, outputs: this.protectOutputs(next, outputs) };
      } else {
        try {
          const provider = providerOf(this.session, next.type, next.provider);
          const result = await provider.create(runningOf(next, "create", status), unwrapAll(inputs));
          created = {
            ...next,
            id: result.id,
            outputs: this.protectOutputs(next, result.outputs),
            created: now,
            modified: now,
          };
        } catch (error) {
          if (!(error instanceof InitFailed)) throw error;
          failure = error;
          created = { ...this.halfMade(next, error), created: now, modified: now };
        }
      }
      if (replaces?.pendingReplacement === true) snapshot.settle({ remove: replaces });
      else if (replaces !== undefined) snapshot.substitute(replaces, { ...replaces, delete: true });
      snapshot.settle({ operation, add: created });
      await snapshot.flush();
      if (failure !== undefined) throw failure;
      await hooks.run("after_create", created, undefined, created);
      return created;
    });
  }

  update(old: ResourceState, next: ResourceState): Promise<ResourceState> {
    const { snapshot, dryRun, hooks } = this.session;
    return this.step("update", "updating", { ...next, id: old.id }, async (status, operation) => {
      const state: ResourceState = { ...next, id: old.id, created: old.created };
      await hooks.run("before_update", next, old, state);
      const [olds, news] = [unwrapAll(old.outputs ?? {}), unwrapAll(next.inputs ?? {})];
      const provider = providerOf(this.session, next.type, next.provider);
      let updated: ResourceState;
      let failure: InitFailed | undefined;
      if (dryRun) {
        updated = { ...state, outputs: this.protectOutputs(next, provider.preview?.(news, olds) ?? news) };
      } else {
        const modified = new Date().toISOString();
        try {
          const outputs = await provider.update(runningOf(state, "update", status), olds, news);
          updated = { ...state, outputs: this.protectOutputs(next, outputs), modified };
        } catch (error) {
          if (!(error instanceof InitFailed)) throw error;
          failure = error;
          updated = { ...this.halfMade(state, error), modified };
        }
      }
      snapshot.settle({ operation, remove: old, add: updated });
      await snapshot.flush();
      if (failure !== undefined) throw failure;
      await hooks.run("after_update", updated, old, updated);
      return updated;
    });
  }

  /**
   * `keepAs` stays in the state instead of the deleted resource: the note that its replacement is still to come.
   */
  async delete(state: ResourceState, op: Op, keepAs?: ResourceState): Promise<void> {
    const { snapshot, dryRun, hooks, deleted } = this.session;
    deleted.add(state.urn);
    // What Pulumi does not manage, and what goes with another resource, needs nobody to delete it.
    const spared =
      !state.custom ||
      state.external === true ||
      state.retainOnDelete === true ||
      state.type.startsWith(PROVIDER_PREFIX);
    const gone = state.deletedWith !== undefined && deleted.has(state.deletedWith);
    await this.step(op, "deleting", state, async (status, operation) => {
      await hooks.run("before_delete", state, state, undefined);
      if (!dryRun && !spared && !gone) {
        const provider = providerOf(this.session, state.type, state.provider);
        const running = runningOf(state, "delete", status);
        await provider.delete(running, unwrapAll(state.inputs ?? {}), unwrapAll(state.outputs ?? {}));
      }
      if (keepAs !== undefined) snapshot.substitute(state, keepAs);
      snapshot.settle({ operation, ...(keepAs === undefined ? { remove: state } : {}) });
      await snapshot.flush();
      await hooks.run("after_delete", state, state, undefined);
    });
  }

  /** Outputs as they are kept: secret where an input of that name was, or where the program says so. */
  protectOutputs(state: ResourceState, outputs: Properties): Properties {
    const kept = markSecret(
      annotateSecrets(outputs, state.inputs ?? {}),
      state.additionalSecretOutputs ?? [],
    );
    this.session.mask.learn(kept);
    return kept;
  }

  private halfMade(state: ResourceState, error: InitFailed): ResourceState {
    return {
      ...state,
      id: error.id,
      outputs: this.protectOutputs(state, error.outputs),
      initErrors: error.reasons.length > 0 ? error.reasons : [error.message],
      ...(error.needsReplacement ? { taint: true } : {}),
    };
  }

  /** The frame of every step. Components and provider resources change nothing outside the state. */
  private async step<T>(
    op: Op,
    kind: OperationKind,
    state: ResourceState,
    work: (status: (message: string) => void, operation: Operation | undefined) => Promise<T>,
  ): Promise<T> {
    const { display, snapshot, limiter, dryRun } = this.session;
    return limiter.run(async () => {
      const silent = state.type.startsWith(PROVIDER_PREFIX);
      const step = silent ? undefined : display.begin(op, state.urn);
      const status = (message: string): void => step?.status(message);
      const records = state.custom && !silent && !dryRun;
      // The time is what tells a container that this step made from one that was there before.
      const operation = records
        ? {
            type: kind,
            resource: { ...state, ...(kind === "creating" ? { created: new Date().toISOString() } : {}) },
          }
        : undefined;
      try {
        if (operation !== undefined) {
          snapshot.begin(operation);
          await snapshot.flush();
        }
        const result = await work(status, operation);
        step?.done();
        return result;
      } catch (error) {
        if (operation !== undefined) {
          snapshot.settle({ operation });
          await snapshot.flush();
        }
        if (error instanceof Cancelled) throw error;
        step?.failed();
        display.diagnostic("error", state.urn, messageOf(error));
        throw new StepFailed(messageOf(error));
      }
    });
  }
}
