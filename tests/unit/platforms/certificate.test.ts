import { stringify } from "yaml";
import type { IssuedCertificate } from "../../../components/resources/certificates/issue";
import { issueAuthority, issueLeaf } from "../../../components/resources/certificates/issue";
import { renderCertificate } from "../../../components/platforms/kubernetes/certificate";
import {
  certificateIssuedProvider,
  saidOfRequest,
  signedByOneOf,
  unissued,
} from "../../../components/platforms/kubernetes/certificate-issued";
import { mounts } from "../../../components/platforms/kubernetes/pod";
import { expectGolden } from "../../support/golden";
import { KubernetesApi } from "../../support/kubernetes-api";
import { served } from "../../support/served";
import { KUBERNETES } from "./contexts";
import { DATABASE } from "./workloads";

const REQUEST = {
  issuer: { name: "postgres-authority", kind: "Issuer", group: "cert-manager.io" },
  authority: "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n",
  commonName: "cluster-node",
  dnsNames: ["pg-dev-database-0", "localhost"],
  ipAddresses: ["127.0.0.1"],
  days: 90,
};

describe("a certificate that an issuer makes", () => {
  test("reads as its golden", () => {
    const { certificate, authority } = renderCertificate("database-certificate", REQUEST, KUBERNETES);
    const yaml = [authority, certificate].map(
      (manifest) => `---\n${stringify(manifest, { version: "1.1" })}`,
    );
    expectGolden("platform/kubernetes/certificate.yaml", yaml.join(""));
  });

  test("may come from an issuer of another kind", () => {
    const issuer = { name: "vault", kind: "ClusterIssuer", group: "issuers.example.com" };
    const { certificate } = renderCertificate("database-certificate", { ...REQUEST, issuer }, KUBERNETES);
    expect(certificate.spec.issuerRef).toEqual(issuer);
  });

  test("is mounted with the authority that we say, not with the one that the issuer writes", () => {
    const context = { ...KUBERNETES, authorities: { "database-tls": "pg-dev-database-tls-authority-1" } };
    const { volumes } = mounts(
      { ...DATABASE, secrets: { "/secrets/tls": { name: "database-tls" } } },
      context,
      "pg-dev-database",
    );
    expect(volumes.find(({ name }) => name === "secret-secrets-tls")).toEqual({
      name: "secret-secrets-tls",
      projected: {
        defaultMode: 0o440,
        sources: [
          {
            secret: {
              name: "pg-dev-database-tls",
              items: [
                { key: "tls.crt", path: "tls.crt" },
                { key: "tls.key", path: "tls.key" },
              ],
            },
          },
          { configMap: { name: "pg-dev-database-tls-authority-1" } },
        ],
      },
    });
  });

  test("replaces members when whom they trust changes, and not when it is renewed", () => {
    const of = (change: object) =>
      renderCertificate("database-certificate", { ...REQUEST, ...change }, KUBERNETES);
    const name = of({}).authority.metadata.name;
    expect(of({ authority: `${REQUEST.authority}${REQUEST.authority}` }).authority.metadata.name).not.toBe(
      name,
    );
    expect(of({ days: 30, dnsNames: ["other"] }).authority.metadata.name).toBe(name);
  });
});

describe("a Certificate is issued", () => {
  const condition = (type: string, status: string, observedGeneration: number, message = "") => ({
    type,
    status,
    observedGeneration,
    message,
  });

  test("when it is ready as it is described now", () => {
    const of = (...conditions: ReturnType<typeof condition>[]) =>
      unissued({ metadata: { generation: 2 }, status: { conditions } });
    expect(of(condition("Ready", "True", 2))).toBeUndefined();
    expect(of(condition("Ready", "True", 1, "of before"))).toBe("of before");
    expect(of(condition("Ready", "False", 2, "no issuer."), condition("Issuing", "True", 2, "on it"))).toBe(
      "no issuer. on it",
    );
    expect(unissued({ metadata: { generation: 1 } })).toMatch(/is it installed/);
  });

  test("or else its latest request says why not", () => {
    const request = (
      name: string,
      of: string,
      at: string,
      ...conditions: ReturnType<typeof condition>[]
    ) => ({
      metadata: {
        name,
        creationTimestamp: at,
        annotations: { "cert-manager.io/certificate-name": of },
      },
      status: { conditions },
    });
    const requests = [
      request("pg-tls-2", "pg-tls", "2030-01-02T00:00:00Z", condition("Ready", "False", 1, "no such issuer")),
      request("pg-tls-1", "pg-tls", "2030-01-01T00:00:00Z", condition("Ready", "True", 1, "of before")),
      request("other-1", "other", "2030-01-03T00:00:00Z", condition("Ready", "False", 1, "of another")),
    ];
    expect(saidOfRequest("pg-tls", requests)).toBe(" (pg-tls-2: no such issuer)");
    expect(saidOfRequest("third", requests)).toBe("");
  });

  describe("by an authority that is trusted", () => {
    let root: IssuedCertificate;
    let next: IssuedCertificate;
    let leaf: IssuedCertificate;
    const api = new KubernetesApi();
    let looks = 0;

    beforeAll(async () => {
      const now = new Date();
      root = await issueAuthority(now, { commonName: "root", lifetimeDays: 10 });
      next = await issueAuthority(now, { commonName: "next", lifetimeDays: 10 });
      leaf = await issueLeaf(now, {
        ...{ commonName: "member", dnsNames: ["localhost"], ipAddresses: [], usages: ["server"] as const },
        lifetimeDays: 1,
        authorityCertificatePem: root.certificatePem,
        authorityPrivateKeyPem: root.privateKeyPem,
      });
      const chain = Buffer.from(leaf.certificatePem).toString("base64");
      api.server.on("request", (request, response) => {
        const [, kind = ""] =
          /\/namespaces\/ns\/(secrets\/pg-tls|certificates\/pg-tls|certificaterequests)$/.exec(
            request.url ?? "",
          ) ?? [];
        const bodies: Readonly<Record<string, () => object>> = {
          "secrets/pg-tls": () => ({ metadata: { name: "pg-tls" }, data: { "tls.crt": chain } }),
          "certificates/pg-tls": () => ({
            metadata: { name: "pg-tls", generation: 2 },
            status: { conditions: [condition("Ready", "True", Math.min(2, looks++), "of before")] },
          }),
          certificaterequests: () => ({ items: [] }),
        };
        const body = bodies[kind]?.();
        response
          .writeHead(body ? 200 : 404, { "content-type": "application/json" })
          .end(JSON.stringify(body ?? { code: 404 }));
      });
      await api.start();
    });
    afterAll(() => api.stop());

    const inputs = (authority: string) => ({
      ...{ namespace: "ns", certificate: "pg-tls", digest: "1", deadlineSeconds: 100 },
      authority,
    });

    test("itself, or through the certificates behind the leaf", () => {
      expect(signedByOneOf(next.certificatePem + root.certificatePem, leaf.certificatePem)).toBe(true);
      expect(signedByOneOf(next.certificatePem, leaf.certificatePem)).toBe(false);
      // A chain that names its end proves nothing: who stands there must be trusted.
      expect(signedByOneOf(next.certificatePem, leaf.certificatePem + root.certificatePem)).toBe(false);
      expect(signedByOneOf(root.certificatePem, "")).toBe(false);
    });

    test("is waited for", async () => {
      looks = 0;
      const { provider } = served(certificateIssuedProvider);
      const given = inputs(root.certificatePem);
      expect(await provider.create(given)).toEqual({ id: "ns/pg-tls", outs: given });
      expect(looks).toBe(3);
    });

    test("and one of another authority is refused at once, before anything mounts it", async () => {
      const { provider } = served(certificateIssuedProvider);
      await expect(provider.create(inputs(next.certificatePem))).rejects.toThrow(
        /pg-tls was not signed by the authority that members and clients trust/,
      );
    });
  });
});
