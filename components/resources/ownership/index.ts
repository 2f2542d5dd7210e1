import * as pulumi from "@pulumi/pulumi";
import { APPLICATION_ROLES, POOL_ROLE } from "../sql/application-roles";
import { DynamicResource } from "../../dynamic/resource";
import type { OwnerPlace } from "../../reach/owner-mark";
import type { Former } from "./adoption";

/** How a cluster is taken over whose owner's state is lost or given up: docs/runbooks/adopt-a-cluster.md. */
export interface AdoptArgs {
  /** The cluster's name, once more. Without effect on a cluster that is this state's, and after it has adopted once. */
  readonly cluster: string;
  /** By role (`app_readwrite`): the password that applications log in with, or `new` for another one, of which they must be told. */
  readonly passwords?: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * Whose a cluster is: a random id in the state, compared with the mark where the data are. Fails, in a preview too, when the cluster is
 * another state's, or when this one has lost it; so everything depends on it.
 */
export class ClusterOwner extends DynamicResource {
  /** The random id of this state. */
  declare readonly owner: pulumi.Output<string>;
  /** Why this state is refused unless it proves that it knows the cluster's secrets; empty when it need not. */
  declare readonly unproven: pulumi.Output<string>;
  /** Whose mark may be overwritten. */
  declare readonly adopting: pulumi.Output<string>;
  /** What the cluster was before this state adopted it; undefined when it made it itself. A secret. */
  readonly before: pulumi.Output<Former | undefined>;
  /** PEM of the authority that the cluster had then. */
  readonly authorityBefore: pulumi.Output<string | undefined>;
  readonly place: OwnerPlace;
  declare private readonly former: pulumi.Output<Former | undefined>;
  declare private readonly formerAuthority: pulumi.Output<string | undefined>;

  constructor(place: OwnerPlace, adopt: AdoptArgs | undefined, opts: pulumi.CustomResourceOptions) {
    super(
      "resources/ownership/provider#ownerProvider",
      `${place.cluster}-owner`,
      {
        place,
        stack: pulumi.getStack(),
        project: pulumi.getProject(),
        roles: APPLICATION_ROLES,
        poolRole: POOL_ROLE,
        ...(adopt && { adopt: adopt.cluster, passwords: pulumi.secret(adopt.passwords ?? {}) }),
        owner: undefined,
        unproven: undefined,
        adopting: undefined,
        former: undefined,
        formerAuthority: undefined,
      },
      // Data outlive a `destroy`, and with them whose they are.
      pulumi.mergeOptions(opts, { protect: true, additionalSecretOutputs: ["former"] }),
      "ownership",
      "ClusterOwner",
    );
    this.place = place;
    // States that never adopted say so by an empty text, which a preview knows, too.
    this.authorityBefore = this.formerAuthority.apply((pem) => pem || undefined);
    const none: Former | undefined = undefined;
    this.before = this.authorityBefore.apply((pem) =>
      pem === undefined ? pulumi.output(none) : this.former,
    );
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
      "resources/ownership/provider#markProvider",
      name,
      {
        place: owner.place,
        stack: pulumi.getStack(),
        project: pulumi.getProject(),
        owner: owner.owner,
        adopting: owner.adopting,
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
