import "reflect-metadata";
import { createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import {
  issueAuthority,
  issueLeaf,
  type IssuedCertificate,
} from "../../../components/resources/certificates/issue";
import { resolveIssuer } from "../../../components/issuer";
import { resolveClusterCertificates } from "../../../components/cluster-certificates";
import { describeProblem, type Problem } from "../../../components/settings/problems";
import { dev } from "../../../stacks/dev";
import { problemsOf } from "../../../stacks/preflight";
import { prod } from "../../../stacks/prod";
import { settingsOf } from "../../support/specs";

const NOW = new Date("2030-01-01T00:00:00Z");
let authority: IssuedCertificate;
let another: IssuedCertificate;
beforeAll(async () => {
  authority = await issueAuthority(NOW, { commonName: "issuer", lifetimeDays: 100 });
  another = await issueAuthority(NOW, { commonName: "next", lifetimeDays: 900 });
});

/** An authority that `root` has signed. */
async function authorityBetween(root: IssuedCertificate): Promise<string> {
  x509.cryptoProvider.set(webcrypto as never);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const { publicKey } = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const pkcs8 = createPrivateKey(root.privateKeyPem).export({ type: "pkcs8", format: "der" });
  const signingKey = await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
  const certificate = await x509.X509CertificateGenerator.create({
    ...{ subject: "CN=between", issuer: new x509.X509Certificate(root.certificatePem).subjectName },
    ...{ notBefore: NOW, notAfter: new Date(root.expires), signingAlgorithm: algorithm },
    ...{ publicKey: publicKey as never, signingKey: signingKey as never },
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return `${certificate.toString("pem")}\n`;
}

const told = (problems: readonly Problem[]): string => problems.map(describeProblem).join("\n");
const problemsWith = (pem: string | undefined, now = NOW): string =>
  told(resolveIssuer({ name: "postgres", authority: pem }, now).problems);

describe("an issuer", () => {
  test("is its name and the authority that everything trusts; of what kind it is need not be said", () => {
    const { value, problems } = resolveIssuer(
      { name: "postgres", authority: `subject=CN = issuer\n${authority.certificatePem}` },
      NOW,
    );
    expect(problems).toEqual([]);
    expect(value).toEqual({
      issuer: { name: "postgres", kind: "Issuer", group: "cert-manager.io" },
      authority: authority.certificatePem,
      authorityEnds: new Date(authority.expires),
    });
  });

  test("may be of another kind, with two authorities while one takes the place of the other; the first end counts", () => {
    const { value, problems } = resolveIssuer(
      {
        ...{ name: "postgres", kind: "ClusterIssuer", group: "issuers.example.com" },
        authority: `${another.certificatePem}\n${authority.certificatePem}`,
      },
      NOW,
    );
    expect(problems).toEqual([]);
    expect(value).toEqual({
      issuer: { name: "postgres", kind: "ClusterIssuer", group: "issuers.example.com" },
      authority: another.certificatePem + authority.certificatePem,
      authorityEnds: new Date(authority.expires),
    });
  });

  test("is refused without what it needs, everything at once", () => {
    const { problems } = resolveIssuer({}, NOW);
    expect(problems.map(({ setting }) => setting)).toEqual([
      "certificates.issuer.name",
      "certificates.issuer.authority",
    ]);
  });

  test("is refused with an authority that is none, with what is wrong with it", async () => {
    const leaf = await issueLeaf(NOW, {
      ...{ commonName: "member", dnsNames: ["localhost"], ipAddresses: [], usages: ["server"] as const },
      lifetimeDays: 1,
      authorityCertificatePem: authority.certificatePem,
      authorityPrivateKeyPem: authority.privateKeyPem,
    });
    const [begin, , ...rest] = authority.certificatePem.split("\n");
    expect(problemsWith("/etc/ssl/ca.crt")).toMatch(
      /must be the certificate authority that members and clients trust/,
    );
    expect(problemsWith([begin, ...rest].join("\n"))).toMatch(/contains an unreadable certificate/);
    expect(problemsWith(leaf.certificatePem)).toMatch(/"CN=member": is not a CA certificate/);
    const later = new Date("2031-01-01T00:00:00Z");
    expect(problemsWith(authority.certificatePem, later)).toMatch(/"CN=issuer": expired on 2030-04-11/);
    // One of two is enough.
    expect(problemsWith(another.certificatePem + leaf.certificatePem)).toMatch(/"CN=member"/);
  });

  test("may sign with an authority between, if the end of its chain is there", async () => {
    const between = await authorityBetween(authority);
    expect(problemsWith(between)).toMatch(/"CN=between": is signed by an authority that is missing here/);
    expect(problemsWith(between + another.certificatePem)).toMatch(/"CN=between"/);
    expect(problemsWith(between + authority.certificatePem)).toBe("");
  });

  test("is refused with a private key, which is not printed", () => {
    const text = problemsWith(authority.certificatePem + authority.privateKeyPem);
    expect(text).toMatch(/contains a private key/);
    const [, ...secret] = authority.privateKeyPem.trim().split("\n");
    for (const line of secret.slice(0, -1)) expect(text).not.toContain(line);
  });
});

describe("the cluster's certificates", () => {
  test("are of an authority of its own, unless there is an issuer", () => {
    expect(resolveClusterCertificates({}, NOW)).toEqual({
      value: { by: "own authority", days: 365, authorityDays: 3650, formerAuthority: "serve" },
      problems: [],
    });
    const issuer = { name: "postgres", authority: authority.certificatePem };
    expect(resolveClusterCertificates({ days: 90, issuer }, NOW)).toMatchObject({
      value: { by: "issuer", days: 90, issuer: { issuer: { name: "postgres" } } },
      problems: [],
    });
  });

  test("have no authority of their own to set a lifetime of beside an issuer", () => {
    const issuer = { name: "postgres", authority: authority.certificatePem };
    const { problems } = resolveClusterCertificates({ authorityDays: 900, issuer }, NOW);
    expect(problems.map(({ setting }) => setting)).toEqual(["certificates.authorityDays"]);
  });

  test("are looked at before any resource exists, and Docker has no issuers", async () => {
    const certificates = { issuer: { name: "postgres", authority: "none" } };
    const inProd = await problemsOf(settingsOf("prod", { certificates }), prod, false);
    expect(inProd.map(({ setting }) => setting)).toContain("certificates.issuer.authority");
    const inDev = await dev.problems(settingsOf("dev", { certificates }), { ports: [], workerGroups: [] });
    expect(told(inDev)).toMatch(/certificates\.issuer = "postgres": needs cert-manager/);
  });
});
