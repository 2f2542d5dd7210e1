import * as pulumi from "@pulumi/pulumi";
import { APPLICATION_ROLES, POOL_ROLE } from "../sql/application-roles";
import { DynamicResource } from "../../dynamic/resource";
import type { OwnerPlace } from "../../reach/owner-mark";
import type { Former } from "./adoption";

/** How to adopt a cluster whose stack's state is lost or abandoned: docs/runbooks/adopt-a-cluster.md. */
export interface AdoptArgs {
  /** The cluster's name, as confirmation. Has no effect if this stack already owns the cluster. */
  readonly cluster: string;
  /** By role (`app_readwrite`): the password that applications use, or `new` to generate one, which you must pass on to them. */
  readonly passwords?: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * Verifies that this stack owns the cluster: compares a random id in the state with the mark beside the data. Fails, in previews too, if the
 * cluster belongs to another stack or if this state does not know it. Everything depends on it.
 */
export class ClusterOwner extends DynamicResource {
  /** The random id of this state. */
  declare readonly owner: pulumi.Output<string>;
  /** Why this state is rejected unless it proves that it knows the cluster's secrets; empty if no proof is needed. */
  declare readonly unproven: pulumi.Output<string>;
  /** The owner whose mark may be overwritten. */
  declare readonly adopting: pulumi.Output<string>;
  /** Secrets of the cluster from before it was adopted; undefined if this stack created it. A secret. */
  readonly before: pulumi.Output<Former | undefined>;
  /** PEM of the former authority of an adopted cluster. */
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
      // The data outlive a `destroy`, so their owner's id must too.
      pulumi.mergeOptions(opts, { protect: true, additionalSecretOutputs: ["former"] }),
      "ownership",
      "ClusterOwner",
    );
    this.place = place;
    // An empty text means never adopted; it is known in previews too.
    this.authorityBefore = this.formerAuthority.apply((pem) => pem || undefined);
    const none: Former | undefined = undefined;
    this.before = this.authorityBefore.apply((pem) =>
      pem === undefined ? pulumi.output(none) : this.former,
    );
  }
}

export interface ClusterMarkArgs {
  readonly owner: ClusterOwner;
  /** Nothing in the state can prove that it knows the cluster, so data without this stack's mark are rejected. Default false. */
  readonly withoutProof?: boolean;
}

/** The owner's mark beside the data. Written before all other resources of the cluster, and never deleted while data exist. */
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

/** Component options that make the component and all its children depend on `first`. */
export const after = (
  first: pulumi.Resource,
  opts: pulumi.ComponentResourceOptions = {},
): pulumi.ComponentResourceOptions =>
  pulumi.mergeOptions(opts, {
    transformations: [
      ({ props, opts: own }) => ({ props, opts: pulumi.mergeOptions(own, { dependsOn: first }) }),
    ],
  });
