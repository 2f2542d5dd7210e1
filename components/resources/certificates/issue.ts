import type { JsonGeneralNames } from "@peculiar/x509";

/**
 * X.509 certificates that pass strict verification. Python 3.13 (Patroni's HTTP clients) sets VERIFY_X509_STRICT: an authority needs critical
 * basicConstraints, critical keyUsage and a subject key identifier; a leaf needs an authority key identifier and subject alternative
 * names. https://docs.python.org/3/library/ssl.html#ssl.VERIFY_X509_STRICT
 *
 * Keys are ECDSA P-256, which every program in the cluster supports; a handshake costs a tenth of one with RSA.
 */

export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** End of the validity, ISO 8601. */
  readonly expires: string;
}

export interface AuthoritySpec {
  readonly commonName: string;
  readonly lifetimeDays: number;
}

export type CertificateUsage = "server" | "client";

export interface LeafSpec {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly usages: readonly CertificateUsage[];
  readonly lifetimeDays: number;
  readonly authorityCertificatePem: string;
  readonly authorityPrivateKeyPem: string;
}

/** Loads `@peculiar/x509`, which requires `reflect-metadata` to be loaded before. */
function loadX509() {
  require("reflect-metadata");
  const x509 = require("@peculiar/x509") as typeof import("@peculiar/x509");
  const { webcrypto } = require("node:crypto") as typeof import("node:crypto");
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  return { x509, subtle: webcrypto.subtle };
}

/** Starts five minutes ago, because the clocks of machines differ. X.509 times have whole seconds. */
function validFrom(now: Date, lifetimeDays: number): { notBefore: Date; notAfter: Date } {
  const second = Math.floor(now.getTime() / 1000) * 1000;
  return { notBefore: new Date(second - 5 * 60_000), notAfter: new Date(second + lifetimeDays * 86_400_000) };
}

/** 127 bits, random except for the highest, so that the number is positive without a leading zero byte (RFC 5280, 4.1.2.2). */
function randomSerial(): string {
  const { randomBytes } = require("node:crypto") as typeof import("node:crypto");
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString("hex");
}

async function importPrivateKey(pem: string) {
  const { createPrivateKey, createPublicKey } = require("node:crypto") as typeof import("node:crypto");
  const { subtle } = loadX509();
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = createPrivateKey(pem);
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  return {
    privateKey: await subtle.importKey("pkcs8", pkcs8, algorithm, true, ["sign"]),
    publicKey: await subtle.importKey("spki", spki, algorithm, true, ["verify"]),
  };
}

async function generateKeys() {
  const { subtle } = loadX509();
  return subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
}

type PrivateKey = Awaited<ReturnType<typeof generateKeys>>["privateKey"];

async function exportPrivateKey(key: PrivateKey): Promise<string> {
  const { subtle } = loadX509();
  const body = Buffer.from(await subtle.exportKey("pkcs8", key)).toString("base64");
  const lines = body.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

/**
 * A self-signed authority. If it has the key of the previous one, certificates signed by that can be verified with the new one too, so members
 * with old and new certificates accept each other.
 */
export async function issueAuthority(
  now: Date,
  spec: AuthoritySpec,
  previousKeyPem?: string,
): Promise<IssuedCertificate> {
  const { x509 } = loadX509();
  const keys = previousKeyPem === undefined ? await generateKeys() : await importPrivateKey(previousKeyPem);
  const validity = validFrom(now, spec.lifetimeDays);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: [{ CN: [spec.commonName] }],
    ...validity,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    // `as never` here and below: the library uses the browser's CryptoKey type, which is missing in Node's types.
    keys: keys as never,
    extensions: [
      // Path length 0: it signs leaves only.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    privateKeyPem: previousKeyPem ?? (await exportPrivateKey(keys.privateKey)),
    expires: validity.notAfter.toISOString(),
  };
}

/** A leaf certificate with a new key. It does not outlive its authority. */
export async function issueLeaf(now: Date, spec: LeafSpec): Promise<IssuedCertificate> {
  const { x509 } = loadX509();
  const authority = new x509.X509Certificate(spec.authorityCertificatePem);
  const authorityKeys = await importPrivateKey(spec.authorityPrivateKeyPem);
  const keys = await generateKeys();
  const validity = validFrom(now, spec.lifetimeDays);
  const notAfter = authority.notAfter < validity.notAfter ? authority.notAfter : validity.notAfter;
  const names: JsonGeneralNames = [
    ...spec.dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...spec.ipAddresses.map((value) => ({ type: "ip" as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: [{ CN: [spec.commonName] }],
    issuer: authority.subjectName,
    notBefore: validity.notBefore,
    notAfter,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    publicKey: keys.publicKey as never,
    signingKey: authorityKeys.privateKey as never,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(
        spec.usages.map((usage) =>
          usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
        ),
      ),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  return {
    certificatePem: `${certificate.toString("pem")}\n`,
    privateKeyPem: await exportPrivateKey(keys.privateKey),
    expires: notAfter.toISOString(),
  };
}
