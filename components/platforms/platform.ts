import type { Input, Resource } from "@pulumi/pulumi";
import type { ClusterOwner } from "../resources/ownership";
import type { SecretData, SecretRef, WorkloadSpec } from "./workload";
import type { Reach } from "../reach/reach";

export interface DeployOptions {
  /** The component that the resources belong to. */
  readonly parent: Resource;
  readonly dependsOn?: readonly Resource[];
  /** Members that run read changed files of the configuration after these, where that takes no other members. */
  readonly configuredAfter?: readonly Resource[];
}

/** A workload that has been declared. */
export interface Deployment {
  /** What its image is called; another name is another content. */
  readonly image: string;
  /** Resolve when every member has been started, and those that a change replaced are ready again: at first, before `ready`. */
  readonly started: readonly Resource[];
  /**
   * Resolves when every member is ready; what needs the workload depends on it. Called once. Members cannot be ready before `after`,
   * so that asking them earlier would only take time from what they wait for.
   */
  ready(after?: readonly Resource[]): Resource;
}

/** Who signs certificates where the cluster runs. */
export interface IssuerRef {
  readonly name: string;
  /** What it is called there, and by whom. */
  readonly kind: string;
  readonly group: string;
}

/** A certificate that an issuer of the platform makes and renews. */
export interface CertificateRequest {
  readonly issuer: IssuerRef;
  /** PEM of the authorities that whoever mounts the certificate trusts; the issuer signs with one of them. */
  readonly authority: string;
  /** The subject's name, at most 64 characters. */
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** Lifetime in days; the issuer renews it, with a new key, when less than a third is left. */
  readonly days: number;
}

/**
 * Where workloads run. It speaks of workloads and secrets, never of Patroni or etcd: a new component costs no platform a
 * method, a new platform is one folder.
 */
export interface Platform {
  readonly kind: "docker" | "kubernetes";
  /** Resolves when the cluster is this state's to change. Whatever belongs to the cluster depends on it. */
  readonly owner: ClusterOwner;
  /** Resolves when there is a place for the owner's mark. */
  readonly ground: Resource;
  /** Networks (CIDR) from which `up` goes straight to members: their own access rules must admit it, too. Default: it arrives inside. */
  readonly directFrom?: readonly string[];
  /** Runs a workload; a later change to it replaces its members one at a time. Throws on a field that it cannot render. */
  deploy(spec: WorkloadSpec, options: DeployOptions): Deployment;
  /** Keeps a secret under `name` for the workloads that mount it. A change reaches running members without a restart. */
  secret(name: string, data: SecretData, options: { readonly parent: Resource }): SecretRef;
  /**
   * Lets an issuer make a certificate and renew it, kept under `name` for the workloads that mount it: `tls.crt`, `tls.key`, and the
   * authorities as `ca.crt`. A renewed one reaches running members without a restart, other authorities replace them one at a time.
   * Throws where the platform has no issuers.
   */
  certificate(
    name: string,
    request: CertificateRequest,
    options: Pick<DeployOptions, "parent" | "dependsOn">,
  ): SecretRef;
  /** The full name of replica `ordinal`, as the platform calls it: `pg-dev-etcd-0`. */
  replicaName(workload: string, ordinal: number): string;
  /** The DNS name of replica `ordinal`, known before anything exists. */
  replicaAddress(workload: string, ordinal: number): string;
  /** The DNS name under which any ready replica answers. */
  serviceAddress(workload: string): string;
  /** Further DNS names under which clients reach an exposed workload. */
  exposedNames(workload: string): readonly string[];
  /** How the machine that runs the program reaches a replica's port. */
  reachableFromHere(workload: string, ordinal: number, port: number): Reach;
  /** Where clients outside reach an exposed port, in order of preference: `127.0.0.1:<port>`. */
  exposedAddresses(spec: WorkloadSpec, portName: string): Input<readonly string[]>;
}
