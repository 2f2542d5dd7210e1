// Takes what the program registers, resource by resource, decides what is to be done and has it done. The program
// registers a resource only when everything it depends on has been answered, and is answered only when the step is
// done: that alone gives the order.

import { randomUUID } from "node:crypto";
import { Deletes } from "./deletes";
import type { Op } from "./display";
import { Fault } from "./fault";
import { type Goal, reuse, stateOf } from "./goal";
import {
  aliasUrns,
  applyIgnoreChanges,
  completeDiff,
  decide,
  type Decision,
  dependents,
  inputsWithout,
} from "./plan";
import { annotateSecrets, equal, type Properties, unwrapAll } from "./properties";
import type { Provider } from "./providers/provider";
import { notServed, packageOf } from "./providers/registry";
import { PROVIDER_PREFIX, providerOf, type Session } from "./session";
import type { ResourceState } from "./state";
import { StepFailed, Steps } from "./steps";
import { makeUrn, parseUrn, providerUrn, STACK_TYPE } from "./urn";

export class Deployment {
  private readonly steps: Steps;
  readonly deletes: Deletes;
  /** Everything registered in this run. */
  private readonly states = new Map<string, ResourceState>();
  private readonly seen = new Set<string>();
  private readonly replaced = new Set<string>();
  /** New URN to the one that the resource was found under. */
  private readonly renamed = new Map<string, string>();
  /** Deletions that go before a replacement, shared by all who wait for them. */
  private readonly clearing = new Map<ResourceState, Promise<void>>();
  private stackOutputs: { readonly urn: string; readonly outputs: Properties } | undefined;

  constructor(
    private readonly session: Session,
    private readonly config: Readonly<Record<string, string>>,
    /** Nothing is registered before it. */
    private readonly begin: Promise<void>,
  ) {
    this.steps = new Steps(session);
    this.deletes = new Deletes(session, this.steps);
  }

  async register(goal: Goal): Promise<ResourceState> {
    await this.begin;
    const { project, stack } = this.session;
    const urn = makeUrn(stack, project, goal.parent, goal.type, goal.name);
    if (this.seen.has(urn)) throw new Fault(`Duplicate resource URN '${urn}'; try giving it a unique name`);
    this.seen.add(urn);
    const old = this.findOld(urn, goal);
    this.session.mask.learn(goal.inputs);
    const state = goal.custom
      ? await this.registerCustom(urn, goal, old)
      : await this.registerComponent(urn, goal, old);
    this.states.set(urn, state);
    return state;
  }

  registerOutputs(urn: string, outputs: Properties): void {
    if (parseUrn(urn).type === STACK_TYPE) this.stackOutputs = { urn, outputs };
    else this.setOutputs(urn, outputs);
  }

  /**
   * The stack's outputs are final when its program has ended. After a failure the absence of one means nothing, so what is known of it
   * stays: commands need it most just then.
   */
  settleStackOutputs(failed: boolean): void {
    if (this.stackOutputs === undefined) return;
    const { urn, outputs } = this.stackOutputs;
    this.setOutputs(urn, failed ? { ...this.states.get(urn)?.outputs, ...outputs } : outputs);
  }

  private setOutputs(urn: string, outputs: Properties): void {
    const state = this.states.get(urn);
    if (state === undefined) throw new Fault(`outputs for the unknown resource ${urn}`);
    this.session.mask.learn(outputs);
    const next = reuse(state, { ...state, outputs });
    this.states.set(urn, next);
    this.session.snapshot.settle({ remove: state, add: next });
  }

  /** A resource that exists elsewhere and is only looked at. */
  async read(goal: Goal, id: string): Promise<ResourceState> {
    await this.begin;
    const { project, stack, snapshot } = this.session;
    const urn = makeUrn(stack, project, goal.parent, goal.type, goal.name);
    this.seen.add(urn);
    const provider = goal.provider === "" ? this.defaultProvider(goal.type, goal.version) : goal.provider;
    const resource = {
      urn,
      type: goal.type,
      name: goal.name,
      id,
      status: () => undefined,
      timeoutSeconds: undefined,
    };
    const inputs = unwrapAll(goal.inputs);
    const found = await providerOf(this.session, goal.type, provider).read(resource, inputs, inputs);
    if (found === undefined) throw new Fault(`${goal.type} ${id} does not exist`);
    const base = stateOf(urn, goal, goal.inputs, provider);
    const state: ResourceState = {
      ...base,
      id: found.id,
      external: true,
      outputs: this.steps.protectOutputs(base, found.outputs),
    };
    const old = snapshot.find(urn);
    snapshot.settle({ remove: old, add: state });
    this.states.set(urn, state);
    return state;
  }

  /** What is in the state and was not registered is to go; so are the originals of replaced resources. */
  finish(): Promise<void> {
    const resources = this.session.snapshot.resources();
    const used = new Set(
      resources.filter((each) => this.seen.has(each.urn)).map((each) => providerUrn(each.provider ?? "::")),
    );
    return this.deletes.run(
      resources.filter((each) => each.delete === true || (!this.seen.has(each.urn) && !used.has(each.urn))),
    );
  }

  private findOld(urn: string, goal: Goal): ResourceState | undefined {
    const { project, stack, snapshot } = this.session;
    const direct = snapshot.find(urn);
    if (direct !== undefined) return direct;
    for (const alias of aliasUrns(
      { stack, project, name: goal.name, type: goal.type, parent: goal.parent },
      goal.aliases,
      this.renamed,
    )) {
      const found = this.seen.has(alias) ? undefined : snapshot.find(alias);
      if (found === undefined) continue;
      this.renamed.set(urn, alias);
      return found;
    }
    return undefined;
  }

  private async registerComponent(
    urn: string,
    goal: Goal,
    old: ResourceState | undefined,
  ): Promise<ResourceState> {
    const { display, snapshot, hooks } = this.session;
    const now = new Date().toISOString();
    const op: "create" | "update" | "same" =
      old === undefined ? "create" : equal(old.inputs ?? {}, goal.inputs) ? "same" : "update";
    const next: ResourceState = {
      ...stateOf(urn, goal, goal.inputs, undefined),
      outputs: old?.outputs ?? {},
      created: old?.created ?? now,
      modified: op === "same" ? old?.modified : now,
    };
    const state = old === undefined ? next : reuse(old, next);
    const step = op === "same" ? undefined : display.begin(op, urn);
    display.count(op);
    if (op !== "same")
      await hooks.run(op === "create" ? "before_create" : "before_update", state, old, state);
    snapshot.settle({ remove: old, add: state });
    if (op !== "same") await hooks.run(op === "create" ? "after_create" : "after_update", state, old, state);
    step?.done();
    return state;
  }

  private async registerCustom(
    urn: string,
    goal: Goal,
    old: ResourceState | undefined,
  ): Promise<ResourceState> {
    if (goal.type.startsWith(PROVIDER_PREFIX)) return this.registerProvider(urn, goal, old);
    if (old?.external === true) old = undefined;
    const reference = goal.provider === "" ? this.defaultProvider(goal.type, goal.version) : goal.provider;
    const provider = providerOf(this.session, goal.type, reference);
    // A resource that went with the original of another one is made anew, whatever its inputs.
    const gone = old?.pendingReplacement === true;
    const wanted =
      old === undefined || gone
        ? goal.inputs
        : applyIgnoreChanges(old.inputs ?? {}, goal.inputs, goal.ignoreChanges);
    const inputs = await this.check(provider, urn, goal, wanted, gone ? undefined : old);
    const next = stateOf(urn, goal, inputs, reference);
    if (old === undefined && goal.importId !== "") return this.import(provider, next, goal);
    if (old === undefined) {
      const created = await this.steps.create(next, "create");
      this.session.display.count("create");
      return created;
    }
    const decision = gone
      ? ({ op: "replace", keys: [], deleteFirst: true } as const)
      : await this.decide(provider, old, next, goal);
    switch (decision.op) {
      case "same":
        return this.keep(old, next);
      case "update": {
        const updated = await this.steps.update(old, next);
        this.session.display.count("update");
        return updated;
      }
      case "replace":
        return this.replace(provider, old, next, goal, decision);
    }
  }

  /** What exists and is in no state is taken into it as it is, if it is what the program describes. */
  private async import(provider: Provider, next: ResourceState, goal: Goal): Promise<ResourceState> {
    const { display, snapshot } = this.session;
    const { type, name, importId: id } = goal;
    const wanted = unwrapAll(next.inputs ?? {});
    const looked = { urn: next.urn, type, name, id, status: () => undefined, timeoutSeconds: undefined };
    const found = await provider.read(looked, wanted, {});
    if (found === undefined)
      throw new Fault(`${name}: ${type} ${id} does not exist, so it cannot be imported`);
    const differs = Object.entries(provider.preview?.(wanted) ?? wanted)
      .filter(([key, value]) => !equal(value, found.outputs[key]))
      .map(([key]) => key);
    if (differs.length > 0)
      throw new Fault(
        `${name}: ${type} ${id} cannot be imported, since it is not what the program describes: ${differs.join(", ")}`,
      );
    const step = display.begin("import", next.urn);
    const now = new Date().toISOString();
    const state: ResourceState = {
      ...next,
      id: found.id,
      outputs: this.steps.protectOutputs(next, found.outputs),
      created: now,
      modified: now,
    };
    snapshot.settle({ add: state });
    await snapshot.flush();
    display.count("import");
    step.done();
    return state;
  }

  /** Nothing to do outside the state; options and dependencies may still have changed. */
  private keep(old: ResourceState, next: ResourceState): ResourceState {
    const kept = reuse(old, {
      ...next,
      id: old.id,
      outputs: this.steps.protectOutputs(next, old.outputs ?? {}),
      created: old.created,
      modified: old.modified,
    });
    this.session.snapshot.settle({ remove: old, add: kept });
    this.session.display.count("same");
    return kept;
  }

  private async decide(
    provider: Provider,
    old: ResourceState,
    next: ResourceState,
    goal: Goal,
  ): Promise<Decision> {
    const forced =
      old.provider !== next.provider && changesProvider(old.provider, next.provider)
        ? "provider"
        : goal.replaceWith.some((urn) => this.replaced.has(urn))
          ? "replaceWith"
          : this.replaced.has(goal.deletedWith)
            ? "deletedWith"
            : undefined;
    if (forced !== undefined) return decide(old, goal, { changes: true, replaceKeys: [forced] });
    return decide(old, goal, await this.diff(provider, old, next.inputs ?? {}, goal.ignoreChanges));
  }

  private async diff(
    provider: Provider,
    old: ResourceState,
    news: Properties,
    ignoreChanges: readonly string[],
  ) {
    const { type, name } = parseUrn(old.urn);
    const [inputs, outputs, wanted] = [
      unwrapAll(old.inputs ?? {}),
      unwrapAll(old.outputs ?? {}),
      unwrapAll(news),
    ];
    const diff = await provider.diff(
      { urn: old.urn, type, name, id: old.id ?? "" },
      { inputs, outputs },
      wanted,
      ignoreChanges,
    );
    return completeDiff(diff, inputs, wanted);
  }

  private async replace(
    provider: Provider,
    old: ResourceState,
    next: ResourceState,
    goal: Goal,
    decision: Decision & { op: "replace" },
  ): Promise<ResourceState> {
    if (old.protect === true && goal.protect) throw this.refuse(next.urn, "replace");
    // Choices that the provider made for the old one, such as a name, are not carried over.
    const fresh: ResourceState = {
      ...next,
      inputs: await this.check(provider, next.urn, goal, goal.inputs, undefined),
    };
    this.replaced.add(fresh.urn);
    let replaces = old;
    if (decision.deleteFirst && old.pendingReplacement !== true) {
      await this.clear(old);
      replaces = this.session.snapshot.find(old.urn) ?? old;
    }
    const op: Op = decision.deleteFirst ? "replace" : "create-replacement";
    const created = await this.steps.create(fresh, op, replaces);
    this.session.display.count("replace");
    return created;
  }

  /** Deletes `root` ahead of its replacement, and before it every dependent that cannot live through that. */
  private async clear(root: ResourceState): Promise<void> {
    const condemned = new Set([root.urn]);
    const list: ResourceState[] = [];
    for (const candidate of dependents(root, this.session.snapshot.resources())) {
      if (this.seen.has(candidate.urn) || !(await this.mustGo(candidate, condemned))) continue;
      condemned.add(candidate.urn);
      list.push(candidate);
    }
    const guarded = list.find((each) => each.protect === true);
    if (guarded !== undefined) throw this.refuse(guarded.urn, "replace");
    for (const each of [...list.reverse(), root]) {
      let running = this.clearing.get(each);
      if (running === undefined) {
        running =
          each.pendingReplacement === true
            ? Promise.resolve()
            : this.steps.delete(each, "delete-replaced", { ...each, pendingReplacement: true });
        this.clearing.set(each, running);
      }
      await running;
    }
  }

  private async mustGo(candidate: ResourceState, condemned: ReadonlySet<string>): Promise<boolean> {
    if (!candidate.custom || candidate.external === true || candidate.delete === true) return false;
    if (candidate.deletedWith !== undefined && condemned.has(candidate.deletedWith)) return true;
    if (candidate.provider !== undefined && condemned.has(providerUrn(candidate.provider))) return true;
    const news = inputsWithout(candidate, condemned);
    if (news === undefined) return false;
    const provider = providerOf(this.session, candidate.type, candidate.provider);
    const diff = await this.diff(provider, candidate, news, candidate.ignoreChanges ?? []);
    const wish = {
      protect: false,
      deleteBeforeReplace: undefined,
      ignoreChanges: [],
      replaceOnChanges: candidate.replaceOnChanges ?? [],
    };
    return decide({ ...candidate, initErrors: [] }, wish, diff).op === "replace";
  }

  private refuse(urn: string, verb: "replace" | "delete"): StepFailed {
    const message = `unable to ${verb} resource "${urn}"\nas it is currently marked for protection. To unprotect the resource, remove the \`protect\` flag from the resource in your Pulumi program and run \`up\``;
    this.session.display.diagnostic("error", urn, message);
    return new StepFailed(message);
  }

  private async check(
    provider: Provider,
    urn: string,
    goal: Goal,
    inputs: Properties,
    old: ResourceState | undefined,
  ): Promise<Properties> {
    const olds = old === undefined ? undefined : unwrapAll(old.inputs ?? {});
    const checked = await provider.check({ urn, type: goal.type, name: goal.name }, unwrapAll(inputs), olds);
    if (checked.failures.length === 0) return annotateSecrets(checked.inputs, inputs);
    const problems = checked.failures.map(({ property, reason }) =>
      property === "" ? reason : `${property}: ${reason}`,
    );
    const message = `${goal.name} is not valid:\n${problems.join("\n")}`;
    this.session.display.diagnostic("error", urn, message);
    throw new StepFailed(message);
  }

  /** Provider resources live in the state only: their settings are read when a resource needs them. */
  private registerProvider(urn: string, goal: Goal, old: ResourceState | undefined): ResourceState {
    const { snapshot, display } = this.session;
    if (goal.type !== `${PROVIDER_PREFIX}docker`) throw notServed(goal.type);
    const now = new Date().toISOString();
    const changed = old === undefined || !equal(old.inputs ?? {}, goal.inputs);
    const state: ResourceState = {
      ...stateOf(urn, goal, goal.inputs, undefined),
      id: old?.id ?? randomUUID(),
      outputs: goal.inputs,
      created: old?.created ?? now,
      modified: changed ? now : old.modified,
    };
    snapshot.settle({ remove: old, add: state });
    display.count(old === undefined ? "create" : changed ? "update" : "same");
    return state;
  }

  /** The provider that a package's resources use when the program names none; one for each version. */
  private defaultProvider(type: string, version: string): string {
    const { project, stack, snapshot } = this.session;
    const pkg = packageOf(type);
    const name = version === "" ? "default" : `default_${version.replace(/[^\w]/g, "_")}`;
    const urn = makeUrn(stack, project, "", PROVIDER_PREFIX + pkg, name);
    let state = this.states.get(urn);
    if (state === undefined) {
      const old = snapshot.find(urn);
      const inputs = pkg === "pulumi-nodejs" ? { ...this.config } : { version };
      const now = new Date().toISOString();
      state =
        old !== undefined && equal(old.inputs ?? {}, inputs)
          ? old
          : {
              urn,
              custom: true,
              id: old?.id ?? randomUUID(),
              type: PROVIDER_PREFIX + pkg,
              inputs,
              outputs: inputs,
              created: old?.created ?? now,
              modified: now,
            };
      snapshot.settle({ remove: old, add: state });
      this.seen.add(urn);
      this.states.set(urn, state);
    }
    return `${urn}::${state.id}`;
  }
}

/** Another version of a default provider takes over what the earlier one made. */
function changesProvider(old: string | undefined, now: string | undefined): boolean {
  const isDefault = (reference: string): boolean =>
    /^default(_|$)/.test(parseUrn(providerUrn(reference)).name);
  if (old === undefined || now === undefined) return old !== now;
  return !(isDefault(old) && isDefault(now)) && old !== now;
}
