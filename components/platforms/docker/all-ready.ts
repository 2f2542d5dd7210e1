import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { diffInputs } from "./diff-inputs";
import { dockerEngine, memberState } from "../../reach/docker/engine";
import { type AwaitedMember, isReady, waitReady, waitReadyAfterUpdate } from "./wait-ready";

export interface AllReadyInputs {
  readonly workload: string;
  /** A different digest means a new container, so the wait is repeated. */
  readonly members: readonly (AwaitedMember & { readonly digest: string })[];
  readonly deadlineSeconds: number;
}

export const allReadyProvider: pulumi.dynamic.ResourceProvider<AllReadyInputs, AllReadyInputs> = {
  diff(_id, olds, news) {
    return diffInputs(olds, news, ["workload", "members", "deadlineSeconds"], "workload");
  },

  async create(inputs) {
    await waitReady(dockerEngine(), inputs.workload, inputs.members, inputs.deadlineSeconds);
    return { id: inputs.workload, outs: inputs };
  },

  // Reports the resource as deleted if a member is not ready, so that the next `up` waits again after repairing it.
  async read(id, props) {
    const engine = dockerEngine();
    for (const member of props?.members ?? []) {
      if (!(await isReady(engine, member, await memberState(engine, member.container)))) return {};
    }
    return { id, props };
  },

  async update(id, _olds, news) {
    return waitReadyAfterUpdate(id, news, news.members);
  },
};

/** Resolves when every member of a workload is ready; what needs the workload depends on it. */
export class AllReady extends DynamicResource {
  constructor(name: string, args: AllReadyInputs, opts: pulumi.CustomResourceOptions) {
    super("platforms/docker/all-ready#allReadyProvider", name, args, opts, "postgres-cluster", "AllReady");
  }
}
