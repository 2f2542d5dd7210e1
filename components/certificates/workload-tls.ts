import type * as pulumi from "@pulumi/pulumi";
import type { Platform } from "../platform/platform";
import type { SecretRef } from "../platform/workload";
import { Certificate } from "./certificate";
import type { CertificateAuthority } from "./certificate-authority";

export interface WorkloadTlsArgs {
  readonly platform: Pick<Platform, "replicaName" | "replicaAddress" | "serviceAddress" | "secret">;
  readonly authority: CertificateAuthority;
  readonly replicas: number;
  readonly commonName: string;
}

/** The names under which a workload's replicas are reached: by the platform, by each other, from inside their own container. */
export function workloadServerNames(
  platform: Pick<Platform, "replicaName" | "replicaAddress" | "serviceAddress">,
  workload: string,
  replicas: number,
): readonly string[] {
  const ordinals = [...Array(replicas).keys()];
  const names = [
    ...ordinals.map((ordinal) => platform.replicaName(workload, ordinal)),
    ...ordinals.map((ordinal) => platform.replicaAddress(workload, ordinal)),
    platform.serviceAddress(workload),
    "localhost",
  ];
  return [...new Set(names)];
}

/**
 * A workload's certificate as the secret that its replicas mount at `/secrets/tls`: `ca.crt`, `tls.crt`, `tls.key`. One for all
 * replicas, for both directions: members are servers to clients and clients to each other.
 */
export function workloadTls(
  workload: string,
  args: WorkloadTlsArgs,
  options: { readonly parent: pulumi.Resource },
): SecretRef {
  const certificate = new Certificate(
    `${workload}-certificate`,
    {
      authority: args.authority,
      commonName: args.commonName,
      dnsNames: [...workloadServerNames(args.platform, workload, args.replicas)],
      ipAddresses: ["127.0.0.1", "::1"],
      usages: ["server", "client"],
    },
    { parent: options.parent },
  );
  return args.platform.secret(
    `${workload}-tls`,
    {
      "ca.crt": args.authority.certificatePem,
      "tls.crt": certificate.certificatePem,
      "tls.key": certificate.privateKeyPem,
    },
    options,
  );
}
