import type * as pulumi from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { DynamicResource } from "../../dynamic/resource";
import { type Look, waitUntil } from "../../dynamic/wait-until";
import { type Certificate, kubernetesClient } from "../../reach/kubernetes/client";

export interface CertificateIssuedInputs {
  readonly namespace: string;
  /** Name of the Certificate, and of the Secret that it is written to. */
  readonly certificate: string;
  /** Of what is asked for: another one is another certificate, worth waiting for. */
  readonly digest: string;
  /** PEM of the authorities, one of which must have signed it. */
  readonly authority: string;
  readonly deadlineSeconds: number;
}

/** Why a Certificate is not issued as its present description says; undefined when it is. */
export function unissued({ metadata, status }: Certificate): string | undefined {
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type);
  const ready = condition("Ready");
  // What holds for an earlier description says nothing about this one.
  const current = (ready?.observedGeneration ?? 0) >= (metadata?.generation ?? 1);
  if (ready?.status === "True" && current) return undefined;
  const said = [ready, condition("Issuing")].flatMap((each) => each?.message ?? []);
  return said.length === 0 ? "cert-manager has not processed it; is it installed?" : said.join(" ");
}

/** Whether one of the authorities has signed a chain's leaf, itself or through those that stand behind the leaf. */
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

/** What the issuer, or whoever must approve, says of the latest request for a certificate. */
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

/** Resolves when an issuer has made a certificate, and an authority that is trusted has signed it. What mounts it depends on it. */
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
