import { X509Certificate } from "node:crypto";
import { authorityProvider } from "../../../../components/resources/certificates/authority-provider";
import type { AuthorityOutputs } from "../../../../components/resources/certificates/authority-provider";
import { certificateProvider } from "../../../../components/resources/certificates/certificate-provider";
import type { CertificateInputs } from "../../../../components/resources/certificates/certificate-provider";
import { served } from "../../../support/served";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const authorityInputs = { commonName: "pg-test", lifetimeDays: 3650, providerVersion: 1 };

function leafInputs(authority: AuthorityOutputs, change: Partial<CertificateInputs> = {}): CertificateInputs {
  return {
    authorityCertificatePem: authority.certificatePem,
    authorityPrivateKeyPem: authority.privateKeyPem,
    commonName: "cluster-node",
    dnsNames: ["localhost", "pg-test-patroni-0"],
    ipAddresses: ["127.0.0.1", "::1"],
    usages: ["server", "client"],
    lifetimeDays: 365,
    providerVersion: 1,
    ...change,
  };
}

function providers() {
  return {
    authority: served(authorityProvider).provider,
    leaf: served(certificateProvider).provider,
  };
}

afterEach(() => {
  jest.useRealTimers();
});

test("no authority is made for a cluster that has one which the state does not know; one that the state has is left alone", async () => {
  const { authority } = providers();
  const unproven = { ...authorityInputs, unproven: "data of a cluster pg-test exist" };
  const refusal = [{ property: "cluster", reason: "data of a cluster pg-test exist" }];
  expect((await authority.check({} as never, unproven)).failures).toEqual(refusal);
  expect((await authority.check({} as never, { ...unproven, unproven: UNKNOWN })).failures).toEqual([]);
  expect((await authority.check(authorityInputs as never, unproven)).failures).toEqual([]);
  const { outs } = await authority.create(authorityInputs);
  expect(await authority.diff("pg-test", outs!, unproven)).toEqual({ changes: false, replaces: [] });
});

describe("certificate providers", () => {
  it("issue an authority and a leaf that it signed", async () => {
    const { authority, leaf } = providers();
    const ca = (await authority.create(authorityInputs)).outs as AuthorityOutputs;
    const made = await leaf.create(leafInputs(ca));
    const outs = made.outs as unknown as Record<string, string>;
    const certificate = new X509Certificate(outs.certificatePem!);
    expect(made.id).toBe("cluster-node");
    expect(certificate.verify(new X509Certificate(ca.certificatePem).publicKey)).toBe(true);
    expect(certificate.subjectAltName).toBe(
      "DNS:localhost, DNS:pg-test-patroni-0, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
    );
    expect(new Date(certificate.validTo).toISOString()).toBe(outs.expires);
    expect(Object.values(outs)).not.toContain(ca.privateKeyPem);
  });

  it("report no change for what they have just made", async () => {
    const { authority, leaf } = providers();
    const ca = (await authority.create(authorityInputs)).outs as AuthorityOutputs;
    const outs = (await leaf.create(leafInputs(ca))).outs!;
    expect(await authority.diff("pg-test", ca, authorityInputs)).toEqual({ changes: false, replaces: [] });
    expect(await leaf.diff("cluster-node", outs as never, leafInputs(ca))).toEqual({
      changes: false,
      replaces: [],
    });
  });

  it("report a change when less than a third of the lifetime is left", async () => {
    jest.useFakeTimers({
      doNotFake: ["setImmediate", "nextTick", "setTimeout"],
      now: Date.now() - 250 * 86_400_000,
    });
    const ca = (await authorityProvider.create(authorityInputs)).outs as AuthorityOutputs;
    const outs = (await certificateProvider.create(leafInputs(ca))).outs!;
    jest.useRealTimers();
    const { authority, leaf } = providers();
    expect(await leaf.diff("cluster-node", outs as never, leafInputs(ca))).toEqual({
      changes: true,
      replaces: [],
    });
    expect(await authority.diff("pg-test", ca, authorityInputs)).toEqual({ changes: false, replaces: [] });
  });

  it("replace an authority only when its name changes", async () => {
    const { authority } = providers();
    const ca = (await authority.create(authorityInputs)).outs as AuthorityOutputs;
    const diff = (change: object) => authority.diff("pg-test", ca, { ...authorityInputs, ...change });
    expect(await diff({ commonName: "other" })).toEqual({ changes: true, replaces: ["commonName"] });
    expect(await diff({ lifetimeDays: 10 })).toEqual({ changes: true, replaces: [] });
    expect(await diff({ providerVersion: 2 })).toEqual({ changes: true, replaces: [] });
    expect(await diff({ commonName: UNKNOWN })).toEqual({ changes: true, replaces: [] });
  });

  it("re-issue an authority with its key, so that old leaves still verify", async () => {
    const { authority, leaf } = providers();
    const ca = (await authority.create(authorityInputs)).outs as AuthorityOutputs;
    const old = (await leaf.create(leafInputs(ca))).outs as unknown as AuthorityOutputs;
    const renewed = (await authority.update("pg-test", ca, authorityInputs)).outs as AuthorityOutputs;
    expect(renewed.privateKeyPem).toBe(ca.privateKeyPem);
    expect(renewed.certificatePem).not.toBe(ca.certificatePem);
    const issuer = new X509Certificate(renewed.certificatePem);
    expect(new X509Certificate(old.certificatePem).verify(issuer.publicKey)).toBe(true);
    expect(new X509Certificate(old.certificatePem).checkIssued(issuer)).toBe(true);
    expect(await leaf.diff("cluster-node", old as never, leafInputs(renewed))).toEqual({
      changes: true,
      replaces: [],
    });
  });

  it("give a renewed leaf a new key", async () => {
    const { authority, leaf } = providers();
    const ca = (await authority.create(authorityInputs)).outs as AuthorityOutputs;
    const old = (await leaf.create(leafInputs(ca))).outs as never as AuthorityOutputs;
    const renewed = (await leaf.update("cluster-node", old as never, leafInputs(ca)))
      .outs as never as AuthorityOutputs;
    expect(renewed.privateKeyPem).not.toBe(old.privateKeyPem);
  });

  it("never let a leaf outlive its authority", async () => {
    const { authority, leaf } = providers();
    const ca = (await authority.create({ ...authorityInputs, lifetimeDays: 10 })).outs as AuthorityOutputs;
    const outs = (await leaf.create(leafInputs(ca))).outs as never as AuthorityOutputs;
    expect(outs.expires).toBe(ca.expires);
  });

  it("refuse bad inputs all at once and skip unknown ones", async () => {
    const { authority, leaf } = providers();
    const bad = { dnsNames: [], ipAddresses: [], usages: [], lifetimeDays: 0, commonName: "x".repeat(65) };
    const failures = async (change: object) =>
      (await leaf.check({} as never, leafInputs({} as AuthorityOutputs, change))).failures;
    expect(await failures(bad)).toEqual([
      { property: "commonName", reason: `must have 1 to 64 characters, got 65: "${"x".repeat(65)}"` },
      { property: "lifetimeDays", reason: "must be a number of days greater than 0, got 0" },
      { property: "usages", reason: `must be "server", "client" or both, got none` },
      {
        property: "dnsNames",
        reason:
          "must have at least one DNS name, or ipAddresses at least one address: clients do not verify the common name",
      },
    ]);
    expect(await failures({ ipAddresses: ["localhost"] })).toEqual([
      { property: "ipAddresses", reason: `must be IP addresses, got "localhost"` },
    ]);
    const unknown = Object.fromEntries(Object.keys(bad).map((key) => [key, UNKNOWN]));
    expect(await failures(unknown)).toEqual([]);
    expect(
      (await authority.check({} as never, { commonName: UNKNOWN, lifetimeDays: UNKNOWN } as never)).failures,
    ).toEqual([]);
  });
});
