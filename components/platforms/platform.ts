import type { Input, Resource } from "@pulumi/pulumi";
import type { ClusterOwner } from "../resources/ownership";
import type { SecretData, SecretRef, WorkloadSpec } from "./workload";
import type { Reach } from "../reach/reach";

export interface DeployOptions {
  /** The parent component of the resources. */
  readonly parent: Resource;
  readonly dependsOn?: readonly Resource[];
  /** Running members get changed configuration files only after these, if the change does not replace members. */
  readonly configuredAfter?: readonly Resource[];
}

/** A workload that has been declared. */
export interface Deployment {
  /** Reference of its image. A different reference means different content. */
  readonly image: string;
  /** Resolve when every member has been started and replaced members are ready again. At first creation, they resolve before `ready`. */
  readonly started: readonly Resource[];
  /**
   * Declares a resource that resolves when every member is ready; resources that need the workload depend on it. Call it at most once.
   * Members that cannot become ready before `after` are not checked before then, which would only slow them down.
   */
  ready(after?: readonly Resource[]): Resource;
}

/** An issuer that signs certificates on the platform. */
export interface IssuerRef {
  readonly name: string;
  /** Kind of the issuer, such as `ClusterIssuer`, and its API group. */
  readonly kind: string;
  readonly group: string;
}

/** A request for a certificate that an issuer of the platform signs and renews. */
export interface CertificateRequest {
  readonly issuer: IssuerRef;
  /** PEM of the authorities that workloads with this certificate trust. The issuer signs with one of them. */
  readonly authority: string;
  /** Common name, at most 64 characters. */
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** Lifetime in days. The issuer renews it, with a new key, when less than a third is left. */
  readonly days: number;
}

/**
 * Where workloads run. The interface is about workloads and secrets, not about Patroni or etcd: a new component needs no new platform
 * method, and a new platform is one folder.
 */
export interface Platform {
  readonly kind: "docker" | "kubernetes";
  /** Resolves when this stack may change the cluster. All resources of the cluster depend on it. */
  readonly owner: ClusterOwner;
  /** Resolves when the owner's mark can be written. */
  readonly ground: Resource;
  /** Networks (CIDR) from which `up` connects directly to members, so their access rules must admit them. Default: none; tunnels end inside members. */
  readonly directFrom?: readonly string[];
  /** Runs a workload. Later changes replace its members one at a time. Throws if it cannot render a field. */
  deploy(spec: WorkloadSpec, options: DeployOptions): Deployment;
  /** Creates a secret `name` for workloads to mount. Running members get changes without a restart. */
  secret(name: string, data: SecretData, options: { readonly parent: Resource }): SecretRef;
  /**
   * Requests a certificate from an issuer, which also renews it. It is kept as secret `name` for workloads to mount: `tls.crt`, `tls.key`, and the
   * authorities as `ca.crt`. Running members get a renewed certificate without a restart; changed authorities replace them one at a time.
   * Throws if the platform has no issuers.
   */
  certificate(
    name: string,
    request: CertificateRequest,
    options: Pick<DeployOptions, "parent" | "dependsOn">,
  ): SecretRef;
  /** The full name of replica `ordinal` on the platform: `pg-dev-etcd-0`. */
  replicaName(workload: string, ordinal: number): string;
  /** The DNS name of replica `ordinal`, known before anything exists. */
  replicaAddress(workload: string, ordinal: number): string;
  /** The DNS name that resolves to the replicas; on Kubernetes only to ready ones. */
  serviceAddress(workload: string): string;
  /** Additional DNS names at which clients reach an exposed workload. */
  exposedNames(workload: string): readonly string[];
  /** How the machine that runs `pulumi up` reaches a replica's port. */
  reachableFromHere(workload: string, ordinal: number, port: number): Reach;
  /** Addresses at which external clients reach an exposed port, in order of preference: `127.0.0.1:<port>`. */
  exposedAddresses(spec: WorkloadSpec, portName: string): Input<readonly string[]>;
}
