import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { diffInputs } from "./diff-inputs";
import { dockerEngine } from "../../reach/docker/engine";
import { type AwaitedMember, waitReady, waitReadyAfterUpdate } from "./wait-ready";

export interface ContainerReadyInputs extends AwaitedMember {
  /** Digest of the container's arguments; a different one means that it has been replaced. */
  readonly digest: string;
  readonly deadlineSeconds: number;
  /** It joins members that already serve. Default false. */
  readonly joins?: boolean;
}

export const containerReadyProvider: pulumi.dynamic.ResourceProvider<
  ContainerReadyInputs,
  ContainerReadyInputs
> = {
  diff(_id, olds, news) {
    return diffInputs(olds, news, ["container", "digest", "readiness", "deadlineSeconds"], "container");
  },

  // In a new workload all members start together, and `AllReady` waits for them. A member that joins others must be ready before the next one
  // starts and before any other is replaced: two members that join a single etcd member would be its majority before they run.
  async create(inputs) {
    if (inputs.joins === true)
      await waitReady(dockerEngine(), inputs.container, [inputs], inputs.deadlineSeconds);
    return { id: inputs.container, outs: inputs };
  },

  async update(id, _olds, news) {
    return waitReadyAfterUpdate(id, news, [news]);
  },
};

/** The second half of a member's step in a rolling update: its new container is ready. A failure stops the update. */
export class ContainerReady extends DynamicResource {
  constructor(
    name: string,
    args: pulumi.Inputs & Omit<ContainerReadyInputs, "joins"> & { joins: pulumi.Input<boolean> },
    opts: pulumi.CustomResourceOptions,
  ) {
    const former = { type: "Healthy", name: name.replace(/-ready$/, "-healthy") };
    super(
      "platforms/docker/container-ready#containerReadyProvider",
      name,
      args,
      opts,
      "postgres-cluster",
      "ContainerReady",
      former,
    );
  }
}
