import { StatefulSet } from "@pulumi/kubernetes/apps/v1";
import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import { ConfigMap, Namespace, Secret, Service } from "@pulumi/kubernetes/core/v1";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import * as pulumi from "@pulumi/pulumi";
import { type AdoptArgs, ClusterOwner } from "../../resources/ownership";
import { CLUSTER_NAME_MAX, DNS_LABEL, replicaName } from "../../reach/names";
import type { CertificateRequest, Deployment, DeployOptions, Platform } from "../platform";
import type { Reach } from "../../reach/reach";
import type { SecretData, SecretRef, WorkloadSpec } from "../workload";
import { refuse } from "../../settings/problems";
import { resolveSettings } from "../../settings/resolve";
import type { Written } from "../../settings/setting";
import { CertificateIssued } from "./certificate-issued";
import { renderCertificate } from "./certificate";
import * as names from "../../reach/kubernetes/names";
import { renderDefaultPolicies } from "./network";
import { DATA_CLAIM, stopSeconds } from "./pod";
import { type KubernetesContext, renderKubernetes, templateDigest } from "./render";
import { PodsReady, Rollout } from "./rollout";
import { KUBERNETES_SETTINGS } from "./settings";
import { VolumeClaims } from "./volume-claims";

export interface KubernetesPlatformArgs extends Written<typeof KUBERNETES_SETTINGS> {
  /** Name of the cluster; the prefix of all object names: `pg`. */
  readonly cluster: string;
  /** The namespace of all objects. The platform creates it. */
  readonly namespace: string;
  /** The reference of each image that workloads use, with a fixed tag or a digest. */
  readonly images: Readonly<Record<string, string>>;
  /** Adopts a cluster whose owner's state is lost or abandoned. Default: no adoption. */
  readonly adopt?: AdoptArgs;
}

/** Expanding a cloud volume takes minutes, and claims of new members exist only once their pods are created. */
const GROWTH_DEADLINE_SECONDS = 900;

/** An issuer signs in a second. One that uses an external service or needs manual approval takes longer. */
const ISSUE_DEADLINE_SECONDS = 300;

/** The stop before the start, the start period, the checks after it, and two minutes for scheduling and volumes. */
const readyDeadline = (spec: WorkloadSpec): number =>
  stopSeconds(spec) +
  spec.readiness.startPeriodSeconds +
  spec.readiness.failureThreshold * (spec.readiness.intervalSeconds + spec.readiness.timeoutSeconds) +
  120;

interface ServiceStatus {
  readonly loadBalancer?: {
    readonly ingress?: readonly { readonly hostname?: string; readonly ip?: string }[];
  };
}

/**
 * A Kubernetes cluster as a platform: StatefulSets in a namespace with the "restricted" Pod Security Standard.
 *
 * @example
 * const platform = new KubernetesPlatform({ cluster: "orders", namespace: "postgres", images: { etcd: "registry.example.com/etcd:3.5.16-1" } });
 */
export class KubernetesPlatform extends pulumi.ComponentResource implements Platform {
  readonly kind = "kubernetes";
  readonly owner: ClusterOwner;
  readonly ground: pulumi.Resource;
  readonly directFrom?: readonly string[];
  private readonly args: KubernetesPlatformArgs;
  private readonly context: Omit<KubernetesContext, "image">;
  private readonly namespace: Namespace;
  /** Resources that must exist before a secret can be mounted, by the secret's name. */
  private readonly secrets = new Map<string, pulumi.Resource>();
  private readonly authorities = new Map<string, string>();
  private readonly exposed = new Map<string, Service>();

  constructor(args: KubernetesPlatformArgs, opts?: pulumi.ComponentResourceOptions) {
    if (!DNS_LABEL.test(args.cluster) || args.cluster.length > CLUSTER_NAME_MAX) {
      throw new pulumi.RunError(
        `The cluster's name "${args.cluster}" must be a DNS label of at most ${CLUSTER_NAME_MAX} characters.`,
      );
    }
    // `adopt` holds secrets, so it is not part of the component's inputs.
    const { adopt, ...recorded } = args;
    super("postgres-cluster:index:KubernetesPlatform", args.cluster, recorded, opts);
    this.args = args;
    this.directFrom = args.directFrom;
    const { value, problems } = resolveSettings(KUBERNETES_SETTINGS, args, "kubernetes");
    refuse("KubernetesPlatform", problems);
    const { cluster, namespace } = args;
    this.context = { ...{ cluster, namespace }, ...value };
    this.owner = new ClusterOwner({ via: "kubernetes", cluster, namespace }, adopt, { parent: this });
    this.namespace = new Namespace(
      `${cluster}-namespace`,
      {
        metadata: {
          name: namespace,
          labels: {
            ...names.objectLabels(args),
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
          },
          annotations: names.OBJECT_ANNOTATIONS,
        },
      },
      // Deleting the namespace would delete all volume claims. To do that, delete it with kubectl.
      { parent: this, dependsOn: [this.owner], protect: true, retainOnDelete: true },
    );
    this.ground = this.namespace;
    for (const manifest of renderDefaultPolicies(this.context))
      new NetworkPolicy(manifest.metadata.name, manifest, { parent: this, dependsOn: [this.namespace] });
    this.registerOutputs({ namespace });
  }

  deploy(spec: WorkloadSpec, options: DeployOptions): Deployment {
    const rendered = renderKubernetes(spec, {
      ...this.context,
      image: this.image(spec.image),
      authorities: Object.fromEntries(this.authorities),
    });
    const { parent } = options;
    const inNamespace = { parent, dependsOn: [this.namespace] };
    const exposed = names.exposedServiceName(this.args, spec.name);
    const services = rendered.services.map((manifest) => {
      const service = new Service(manifest.metadata.name, manifest, inNamespace);
      if (manifest.metadata.name === exposed) this.exposed.set(spec.name, service);
      return service;
    });
    // A new object is a new resource, not a replacement: if an `up` fails, a replaced object stays pending deletion, and would be deleted while
    // in use if the next `up` reverts to it.
    const configMaps = rendered.configMaps.map(({ formerly, manifest }) => {
      const { name } = manifest.metadata;
      const aliases = name === formerly ? [] : [{ name: formerly }];
      return new ConfigMap(name, manifest, {
        ...{ parent, aliases },
        dependsOn: [this.namespace, ...(options.configuredAfter ?? [])],
      });
    });
    const secrets = Object.entries(spec.secrets ?? {}).map(([path, secret]) =>
      this.mounted(secret, `${spec.name}.secrets[${path}]`),
    );
    const { podDisruptionBudget, statefulSet } = rendered;
    const policies = rendered.networkPolicies.map(
      (manifest) => new NetworkPolicy(manifest.metadata.name, manifest, inNamespace),
    );
    const budget = new PodDisruptionBudget(
      podDisruptionBudget.metadata.name,
      podDisruptionBudget,
      inNamespace,
    );
    const { name } = statefulSet.metadata;
    const pods = new StatefulSet(name, statefulSet, {
      parent,
      dependsOn: [...services, ...configMaps, ...secrets, ...policies, budget, ...(options.dependsOn ?? [])],
      // Its name is fixed, so a replacement must delete the old one first. Pods are deleted, claims are kept.
      deleteBeforeReplace: true,
      // `VolumeClaims` enlarges the volumes; a changed template would replace the StatefulSet.
      ignoreChanges: ["spec.volumeClaimTemplates"],
    });
    const members = { namespace: this.args.namespace, statefulSet: name, replicas: spec.replicas };
    if (spec.data) {
      const { storageClass } = this.context;
      new VolumeClaims(
        `${name}-volumes`,
        {
          ...members,
          template: DATA_CLAIM,
          size: spec.data.size,
          ...(storageClass !== undefined && { storageClass }),
          deadlineSeconds: GROWTH_DEADLINE_SECONDS,
        },
        { parent, dependsOn: [pods] },
      );
    }
    const set = {
      ...members,
      digest: templateDigest(statefulSet),
      deadlineSeconds: readyDeadline(spec),
    };
    const rollout = new Rollout(
      `${name}-rollout`,
      {
        ...set,
        container: spec.name,
        ...(spec.handover && { handover: spec.handover }),
        ...(spec.replacedLast && { replacedLast: spec.replacedLast }),
      },
      { parent, dependsOn: [pods] },
    );
    return {
      image: this.image(spec.image),
      started: [rollout],
      ready: (after = []) => new PodsReady(`${name}-ready`, set, { parent, dependsOn: [rollout, ...after] }),
    };
  }

  secret(name: string, data: SecretData, options: { readonly parent: pulumi.Resource }): SecretRef {
    if (this.secrets.has(name)) throw new pulumi.RunError(`The secret "${name}" is declared twice.`);
    const metadata = {
      name: names.secretName(this.args, name),
      namespace: this.args.namespace,
      labels: names.objectLabels(this.args),
      annotations: names.OBJECT_ANNOTATIONS,
    };
    const secret = new Secret(
      `${metadata.name}-secret`,
      { metadata, stringData: pulumi.secret(data) },
      { parent: options.parent, dependsOn: [this.namespace] },
    );
    this.secrets.set(name, secret);
    return { name };
  }

  certificate(
    name: string,
    request: CertificateRequest,
    { parent, dependsOn = [] }: Pick<DeployOptions, "parent" | "dependsOn">,
  ): SecretRef {
    if (this.secrets.has(name)) throw new pulumi.RunError(`The secret "${name}" is declared twice.`);
    const { certificate, authority } = renderCertificate(name, request, this.context);
    const object = certificate.metadata.name;
    const wanted = new CustomResource(`${object}-request`, certificate, {
      parent,
      dependsOn: [this.namespace, ...dependsOn],
    });
    const issued = new CertificateIssued(
      `${object}-issued`,
      {
        namespace: this.args.namespace,
        certificate: object,
        digest: names.contentHash({ spec: JSON.stringify(certificate.spec) }),
        authority: request.authority,
        deadlineSeconds: ISSUE_DEADLINE_SECONDS,
      },
      { parent, dependsOn: [wanted] },
    );
    // Only after the check, so that nothing has changed if the authority is wrong.
    const trusted = authority.metadata.name;
    this.secrets.set(name, new ConfigMap(trusted, authority, { parent, dependsOn: [issued] }));
    this.authorities.set(name, trusted);
    return { name };
  }

  replicaName(workload: string, ordinal: number): string {
    return replicaName(this.args, workload, ordinal);
  }

  replicaAddress(workload: string, ordinal: number): string {
    return names.replicaAddress(this.context, workload, ordinal);
  }

  serviceAddress(workload: string): string {
    return this.serviceDns(names.readyServiceName(this.args, workload));
  }

  /** The names of the exposed Service: within its namespace, from other namespaces, and fully qualified. */
  exposedNames(workload: string): readonly string[] {
    const service = names.exposedServiceName(this.args, workload);
    const { namespace } = this.args;
    return [service, `${service}.${namespace}`, `${service}.${namespace}.svc`, this.serviceDns(service)];
  }

  reachableFromHere(workload: string, ordinal: number, port: number): Reach {
    return {
      via: "kubernetes",
      namespace: this.args.namespace,
      pod: this.replicaName(workload, ordinal),
      port,
      ...(this.context.directFrom && { address: this.replicaAddress(workload, ordinal) }),
    };
  }

  /** The load balancer's address, if any, and the Service's name for clients inside the Kubernetes cluster. */
  exposedAddresses(spec: WorkloadSpec, portName: string): pulumi.Output<readonly string[]> {
    const port = spec.ports[portName]?.port;
    const service = this.exposed.get(spec.name);
    if (!service || port === undefined || spec.exposed?.hostPorts[portName] === undefined) {
      throw new pulumi.RunError(`${spec.name} does not expose a port "${portName}", or is not deployed yet.`);
    }
    const inside = `${this.serviceDns(names.exposedServiceName(this.args, spec.name))}:${port}`;
    // The provider's types declare a status that a Service without a load balancer does not have.
    const status = service.status as pulumi.Output<ServiceStatus | undefined>;
    return status.apply((known) => [
      ...(known?.loadBalancer?.ingress ?? []).map(({ hostname, ip }) => `${hostname ?? ip ?? ""}:${port}`),
      inside,
    ]);
  }

  private serviceDns(service: string): string {
    return `${service}.${this.args.namespace}.svc.${this.context.clusterDomain}`;
  }

  private image(key: string): string {
    const image = this.args.images[key];
    if (!image) {
      throw new pulumi.RunError(
        `Image "${key}" does not exist. Use one of ${Object.keys(this.args.images).join(", ")}.`,
      );
    }
    return image;
  }

  private mounted(secret: SecretRef, path: string): pulumi.Resource {
    const known = this.secrets.get(secret.name);
    if (!known)
      throw new pulumi.RunError(`${path}: secret "${secret.name}" does not exist on this platform.`);
    return known;
  }
}
