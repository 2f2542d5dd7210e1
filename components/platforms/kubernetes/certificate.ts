import type { CertificateRequest } from "../platform";
import * as names from "../../reach/kubernetes/names";

interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

/** https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.CertificateSpec */
interface CertificateSpec {
  readonly secretName: string;
  readonly issuerRef: { readonly name: string; readonly kind: string; readonly group: string };
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly usages: readonly string[];
  readonly duration: string;
  readonly renewBefore: string;
  readonly privateKey: Readonly<Record<string, string | number>>;
  readonly secretTemplate: { readonly labels: Record<string, string> };
}

/** A certificate as manifests. */
export interface RenderedCertificate {
  readonly certificate: {
    readonly apiVersion: "cert-manager.io/v1";
    readonly kind: "Certificate";
    readonly metadata: Metadata;
    readonly spec: CertificateSpec;
  };
  /** What the certificate's holder trusts, under a name that changes with it. */
  readonly authority: {
    readonly apiVersion: "v1";
    readonly kind: "ConfigMap";
    readonly metadata: Metadata;
    readonly immutable: true;
    readonly data: { readonly "ca.crt": string };
  };
}

export function renderCertificate(
  name: string,
  request: CertificateRequest,
  context: names.KubernetesIdentity,
): RenderedCertificate {
  const { issuer, commonName, dnsNames, ipAddresses, days } = request;
  const secretName = names.secretName(context, name);
  const metadata = (object: string): Metadata => ({
    name: object,
    namespace: context.namespace,
    labels: names.objectLabels(context),
    annotations: names.OBJECT_ANNOTATIONS,
  });
  const data = { "ca.crt": request.authority };
  return {
    certificate: {
      apiVersion: "cert-manager.io/v1",
      kind: "Certificate",
      metadata: metadata(secretName),
      spec: {
        secretName,
        issuerRef: { kind: issuer.kind, group: issuer.group, name: issuer.name },
        commonName,
        dnsNames,
        ipAddresses,
        // ECDSA signs; "key encipherment" is a matter of RSA (RFC 8813, 3).
        usages: ["digital signature", "server auth", "client auth"],
        duration: `${days * 24}h`,
        renewBefore: `${days * 8}h`,
        // A key of its own for each certificate, in the form that every program here reads.
        privateKey: { algorithm: "ECDSA", size: 256, encoding: "PKCS8", rotationPolicy: "Always" },
        secretTemplate: { labels: names.objectLabels(context) },
      },
    },
    authority: {
      apiVersion: "v1",
      kind: "ConfigMap",
      // etcd reads whom it trusts once, when it starts: another authority is another object, and replaces the members.
      metadata: metadata(`${secretName}-authority-${names.contentHash(data)}`),
      immutable: true,
      data,
    },
  };
}
