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
  /** The authorities that the certificate's holder trusts, in an object whose name changes with them. */
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
        // ECDSA keys only sign; "key encipherment" applies to RSA (RFC 8813, section 3).
        usages: ["digital signature", "server auth", "client auth"],
        duration: `${days * 24}h`,
        renewBefore: `${days * 8}h`,
        // A new key for each certificate, in a format that every program here can read.
        privateKey: { algorithm: "ECDSA", size: 256, encoding: "PKCS8", rotationPolicy: "Always" },
        secretTemplate: { labels: names.objectLabels(context) },
      },
    },
    authority: {
      apiVersion: "v1",
      kind: "ConfigMap",
      // etcd reads its trusted authorities only at startup. So a new authority is a new object, which replaces the members.
      metadata: metadata(`${secretName}-authority-${names.contentHash(data)}`),
      immutable: true,
      data,
    },
  };
}
