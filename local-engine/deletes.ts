// Deletes a set of resources, each after everything that depends on it.

import { Cancelled } from "./limiter";
import { deleteOrder, isProtected } from "./plan";
import { PROVIDER_PREFIX, type Session } from "./session";
import type { ResourceState } from "./state";
import { StepFailed, type Steps } from "./steps";

export class Deletes {
  constructor(
    private readonly session: Session,
    private readonly steps: Steps,
  ) {}

  async run(resources: readonly ResourceState[]): Promise<void> {
    const { display, snapshot, deleted } = this.session;
    const guarded = resources.filter(isProtected);
    for (const { urn } of guarded) {
      display.diagnostic(
        "error",
        urn,
        `resource "${urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, remove the \`protect\` flag from the resource in your Pulumi program and run \`up\``,
      );
    }
    // Nothing at all is deleted then: half of what belongs together is worse than either.
    if (guarded.length > 0) throw new StepFailed("protected resources cannot be deleted");

    for (const each of resources) if (each.delete !== true) deleted.add(each.urn);
    const order = deleteOrder(resources);
    const running = new Map<ResourceState, Promise<void>>();
    const start = (resource: ResourceState): Promise<void> => {
      let result = running.get(resource);
      if (result === undefined) {
        result = (async () => {
          await Promise.all((order.get(resource) ?? []).map(start));
          await this.one(resource);
        })();
        running.set(resource, result);
      }
      return result;
    };
    const results = await Promise.allSettled(resources.map(start));
    await snapshot.flush();
    const failures = results.filter((each) => each.status === "rejected").map((each) => each.reason as Error);
    const unexpected = failures.find((each) => !(each instanceof StepFailed) && !(each instanceof Cancelled));
    if (unexpected !== undefined) throw unexpected;
    if (failures[0] !== undefined) throw failures[0];
  }

  private async one(resource: ResourceState): Promise<void> {
    const { snapshot, display } = this.session;
    // Deleted already; only its replacement never came.
    if (resource.pendingReplacement === true) {
      snapshot.settle({ remove: resource });
      return;
    }
    const replaced = resource.delete === true;
    await this.steps.delete(resource, replaced ? "delete-replaced" : "delete");
    if (!replaced && !resource.type.startsWith(PROVIDER_PREFIX)) display.count("delete");
  }
}
