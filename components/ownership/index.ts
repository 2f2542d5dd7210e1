import * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../dynamic/resource";
import type { OwnerPlace } from "../platform/owner-place";
import { markProvider, ownerProvider } from "./provider";

/**
 * Whose a cluster is: a random id in the state, compared with the mark where the data are. Fails, in a preview too, when the cluster is
 * another state's, or when this one has lost it; so everything depends on it.
 */
export class ClusterOwner extends DynamicResource {
  /** The random id of this state. */
  declare readonly owner: pulumi.Output<string>;
  /** Why this state is refused unless it proves that it knows the cluster's secrets; empty when it need not. */
  declare readonly unproven: pulumi.Output<string>;
  readonly place: OwnerPlace;

  constructor(place: OwnerPlace, opts: pulumi.CustomResourceOptions) {
    super(
      ownerProvider,
      `${place.cluster}-owner`,
      {
        place,
        stack: pulumi.getStack(),
        project: pulumi.getProject(),
        owner: undefined,
        unproven: undefined,
      },
      // Data outlive a `destroy`, and with them whose they are.
      pulumi.mergeOptions(opts, { protect: true }),
      "ownership",
      "ClusterOwner",
    );
    this.place = place;
  }
}

export interface ClusterMarkArgs {
  readonly owner: ClusterOwner;
  /** Nothing in the state proves that it knows the cluster: without a mark of this state, data are refused. Default false. */
  readonly withoutProof?: boolean;
}

/** The mark of the owner where the data are. Written before anything that belongs to the cluster, and never taken from beside data. */
export class ClusterMark extends DynamicResource {
  constructor(
    name: string,
    { owner, withoutProof = false }: ClusterMarkArgs,
    opts: pulumi.CustomResourceOptions,
  ) {
    super(
      markProvider,
      name,
      {
        place: owner.place,
        stack: pulumi.getStack(),
        project: pulumi.getProject(),
        owner: owner.owner,
        ...(withoutProof && { unproven: owner.unproven }),
        marked: undefined,
      },
      opts,
      "ownership",
      "ClusterMark",
    );
  }
}

/** Options of a component: it and everything in it are registered after `first`. */
export const after = (
  first: pulumi.Resource,
  opts: pulumi.ComponentResourceOptions = {},
): pulumi.ComponentResourceOptions =>
  pulumi.mergeOptions(opts, {
    transformations: [
      ({ props, opts: own }) => ({ props, opts: pulumi.mergeOptions(own, { dependsOn: first }) }),
    ],
  });
