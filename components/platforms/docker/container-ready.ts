import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../dynamic/resource";
import { diffInputs } from "./diff-inputs";
import { dockerEngine } from "../../reach/docker/engine";
import { type AwaitedMember, waitReady, waitReadyAfterUpdate } from "./wait-ready";

export interface ContainerReadyInputs extends AwaitedMember {
  /** Digest of what the container is made of; another one means that it has been replaced. */
  readonly digest: string;
  readonly deadlineSeconds: number;
  /** Members that serve were there before it. Default false. */
  readonly joins?: boolean;
}

export const containerReadyProvider: pulumi.dynamic.ResourceProvider<
  ContainerReadyInputs,
  ContainerReadyInputs
> = {
  diff(_id, olds, news) {
    return diffInputs(olds, news, ["container", "digest", "readiness", "deadlineSeconds"], "container");
  },

  // At first all members start together; `AllReady` waits for them. One that joins others comes before the next one and before any of them
  // is replaced: two that join a single member of etcd, and are not there yet, would be its majority.
  async create(inputs) {
    if (inputs.joins === true)
      await waitReady(dockerEngine(), inputs.container, [inputs], inputs.deadlineSeconds);
    return { id: inputs.container, outs: inputs };
  },

  async update(id, _olds, news) {
    return waitReadyAfterUpdate(id, news, [news]);
  },
};

/** The end of a member's step of a rolling change: its new container is ready. Failing here stops the change. */
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
