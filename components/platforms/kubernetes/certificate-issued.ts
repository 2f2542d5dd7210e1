import type * as pulumi from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { DynamicResource } from "../../dynamic/resource";
import { type Look, waitUntil } from "../../dynamic/wait-until";
import { type Certificate, kubernetesClient } from "../../reach/kubernetes/client";

export interface CertificateIssuedInputs {
  readonly namespace: string;
  /** Name of the Certificate and of its Secret. */
  readonly certificate: string;
  /** Digest of the Certificate's spec; a different one means a new certificate to wait for. */
  readonly digest: string;
  /** PEM of the authorities. One of them must have signed it. */
  readonly authority: string;
  readonly deadlineSeconds: number;
}

/** Why a Certificate is not issued according to its current spec; undefined if it is. */
export function unissued({ metadata, status }: Certificate): string | undefined {
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type);
  const ready = condition("Ready");
  // A condition of an earlier generation says nothing about the current one.
  const current = (ready?.observedGeneration ?? 0) >= (metadata?.generation ?? 1);
  if (ready?.status === "True" && current) return undefined;
  const said = [ready, condition("Issuing")].flatMap((each) => each?.message ?? []);
  return said.length === 0 ? "cert-manager has not processed it; is it installed?" : said.join(" ");
}

/** Whether one of the authorities has signed a chain's leaf certificate, directly or through the chain's intermediates. */
export function signedByOneOf(authority: string, chain: string): boolean {
  const { X509Certificate } = require("node:crypto") as typeof import("node:crypto");
  const certificates = (pem: string) =>
    (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map(
      (text) => new X509Certificate(text),
    );
  const trusted = certificates(authority);
  const [leaf, ...between] = certificates(chain);
  let link = leaf;
  for (let length = 0; link !== undefined && length <= between.length; length++) {
    const certificate = link;
    const signed = (by: (typeof trusted)[number]): boolean =>
      certificate.checkIssued(by) && certificate.verify(by.publicKey);
    if (trusted.some(signed)) return true;
    link = between.find(signed);
  }
  return false;
}

/** The messages of the issuer or approver about the latest CertificateRequest. */
export function saidOfRequest(certificate: string, requests: readonly Certificate[]): string {
  const latest = requests
    .filter(({ metadata }) => metadata?.annotations?.["cert-manager.io/certificate-name"] === certificate)
    .sort((a, b) => (a.metadata?.creationTimestamp ?? "").localeCompare(b.metadata?.creationTimestamp ?? ""))
    .at(-1);
  const messages = (latest?.status?.conditions ?? []).flatMap(({ type, message }) =>
    type === "Approved" || message === undefined ? [] : [message],
  );
  return messages.length === 0 ? "" : ` (${latest?.metadata?.name ?? ""}: ${messages.join(" ")})`;
}

const CERT_MANAGER = { group: "cert-manager.io", version: "v1" };

async function look({
  namespace,
  certificate,
  authority,
}: CertificateIssuedInputs): Promise<Look<undefined>> {
  const { client, config } = kubernetesClient();
  const custom = config.makeApiClient(client.CustomObjectsApi);
  const certificates = { ...CERT_MANAGER, plural: "certificates", namespace };
  const why = unissued(await custom.getNamespacedCustomObject({ ...certificates, name: certificate }));
  if (why !== undefined) {
    const requests = { ...CERT_MANAGER, plural: "certificaterequests", namespace };
    const { items } = await custom.listNamespacedCustomObject(requests);
    return { done: false, why: why + saidOfRequest(certificate, items) };
  }
  const core = config.makeApiClient(client.CoreV1Api);
  const { data } = await core.readNamespacedSecret({ namespace, name: certificate });
  const chain = Buffer.from(data?.["tls.crt"] ?? "", "base64").toString("utf8");
  if (signedByOneOf(authority, chain)) return { done: true, value: undefined };
  throw Object.assign(
    new Error(
      `${certificate} was not signed by the authority that members and clients trust (certificates.issuer.authority). ` +
        "Set it to the authority that the issuer signs with. During rotation, include both.",
    ),
    { permanent: true },
  );
}

const awaitIssued = (inputs: CertificateIssuedInputs): Promise<undefined> =>
  waitUntil(
    { what: `the certificate ${inputs.certificate} is issued`, deadlineSeconds: inputs.deadlineSeconds },
    () => look(inputs),
  );

export const certificateIssuedProvider: pulumi.dynamic.ResourceProvider<
  CertificateIssuedInputs,
  CertificateIssuedInputs
> = {
  diff(_id, olds, news) {
    const names = ["namespace", "certificate", "digest", "authority", "deadlineSeconds"] as const;
    const { changed, certain } = changedInputs(olds, news, names);
    return Promise.resolve({
      changes: changed.length > 0,
      replaces: certain.filter((name) => name === "namespace" || name === "certificate"),
    });
  },

  async create(inputs) {
    await awaitIssued(inputs);
    return { id: `${inputs.namespace}/${inputs.certificate}`, outs: inputs };
  },

  async update(_id, _olds, news) {
    await awaitIssued(news);
    return { outs: news };
  },
};

/** Resolves when an issuer has issued a certificate that a trusted authority has signed. Workloads that mount it depend on this. */
export class CertificateIssued extends DynamicResource {
  constructor(name: string, args: CertificateIssuedInputs, opts: pulumi.CustomResourceOptions) {
    super(
      "platforms/kubernetes/certificate-issued#certificateIssuedProvider",
      name,
      args,
      opts,
      "postgres-cluster",
      "CertificateIssued",
    );
  }
}
