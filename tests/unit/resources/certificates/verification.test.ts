import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import type {
  CertificateUsage,
  IssuedCertificate,
} from "../../../../components/resources/certificates/issue";
import { issueAuthority, issueLeaf } from "../../../../components/resources/certificates/issue";

let directory: string;
let authority: IssuedCertificate;
let leaf: IssuedCertificate;

const issue = (usages: readonly CertificateUsage[], change: object = {}): Promise<IssuedCertificate> =>
  issueLeaf(new Date(), {
    commonName: "cluster-node",
    dnsNames: ["localhost", "member-0.test"],
    ipAddresses: ["127.0.0.1"],
    usages,
    lifetimeDays: 30,
    authorityCertificatePem: authority.certificatePem,
    authorityPrivateKeyPem: authority.privateKeyPem,
    ...change,
  });
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const works = (command: string, args: readonly string[]): boolean => {
  try {
    execFileSync(command, [...args], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
};

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "certificates-"));
  authority = await issueAuthority(new Date(), { commonName: "pg-test", lifetimeDays: 60 });
  leaf = await issue(["server", "client"]);
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("a TLS handshake in Node, both sides verified", () => {
  const handshake = async (client: {
    certificate: IssuedCertificate;
    trusts: string;
    name: string;
  }): Promise<string> => {
    const server = createServer(
      {
        cert: leaf.certificatePem,
        key: leaf.privateKeyPem,
        ca: authority.certificatePem,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
    );
    let refusal = "no client was refused";
    server.on("tlsClientError", (_, socket) => (refusal = String(socket.authorizationError)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      return await new Promise<string>((resolve, reject) => {
        const socket = connect({
          ...{
            host: "127.0.0.1",
            port: (server.address() as AddressInfo).port,
            servername: client.name,
            ca: client.trusts,
          },
          ...{ cert: client.certificate.certificatePem, key: client.certificate.privateKeyPem },
        });
        socket.on("data", (data) => resolve(data.toString()));
        socket.on("error", reject);
        socket.on("close", () => reject(new Error(refusal)));
      });
    } finally {
      server.close();
    }
  };

  it("succeeds, and the server sees who the client is", async () => {
    const client = await issue(["client"], { commonName: "somebody" });
    expect(
      await handshake({ certificate: client, trusts: authority.certificatePem, name: "member-0.test" }),
    ).toBe("somebody");
  });

  it("succeeds with either of two authorities of one name, while one takes the place of the other", async () => {
    const next = await issueAuthority(new Date(), { commonName: "pg-test", lifetimeDays: 60 });
    const trusts = next.certificatePem + authority.certificatePem;
    expect(await handshake({ certificate: leaf, trusts, name: "member-0.test" })).toBe("cluster-node");
  });

  it("fails under a name that the certificate does not have", async () => {
    const wrong = handshake({ certificate: leaf, trusts: authority.certificatePem, name: "member-9.test" });
    await expect(wrong).rejects.toThrow("Hostname/IP does not match certificate's altnames");
  });

  it("fails with a client certificate of another authority", async () => {
    const other = await issueAuthority(new Date(), { commonName: "pg-test", lifetimeDays: 60 });
    const stranger = await issue(["client"], {
      authorityCertificatePem: other.certificatePem,
      authorityPrivateKeyPem: other.privateKeyPem,
    });
    await expect(
      handshake({ certificate: stranger, trusts: authority.certificatePem, name: "localhost" }),
    ).rejects.toThrow("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });

  it("holds between a leaf of before and an authority that was re-issued with its key", async () => {
    const renewed = await issueAuthority(
      new Date(),
      { commonName: "pg-test", lifetimeDays: 60 },
      authority.privateKeyPem,
    );
    expect(await handshake({ certificate: leaf, trusts: renewed.certificatePem, name: "localhost" })).toBe(
      "cluster-node",
    );
  });
});

const opensslIsThere = works("openssl", ["version"]);
(opensslIsThere ? describe : describe.skip)(
  `openssl${opensslIsThere ? "" : " (skipped: no openssl here)"}`,
  () => {
    const verify = (purpose: string, certificate: IssuedCertificate): boolean =>
      works("openssl", [
        ...[
          "verify",
          "-x509_strict",
          "-purpose",
          purpose,
          "-CAfile",
          file("ca.pem", authority.certificatePem),
        ],
        file("leaf.pem", certificate.certificatePem),
      ]);
    const text = (pem: string): string =>
      execFileSync("openssl", ["x509", "-noout", "-text"], { input: pem, encoding: "utf8" });

    it("verifies strictly, for what the certificate is good for and nothing else", async () => {
      expect(verify("sslserver", leaf)).toBe(true);
      expect(verify("sslclient", leaf)).toBe(true);
      const server = await issue(["server"]);
      expect([verify("sslserver", server), verify("sslclient", server)]).toEqual([true, false]);
    });

    it("finds what strict verifiers ask for", () => {
      const ca = text(authority.certificatePem);
      expect(ca).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
      expect(ca).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign/);
      expect(ca).toContain("X509v3 Subject Key Identifier:");
      const of = text(leaf.certificatePem);
      expect(of).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE/);
      expect(of).toMatch(/X509v3 Key Usage: critical\s+Digital Signature/);
      expect(of).toContain("X509v3 Authority Key Identifier:");
      expect(of).toContain("DNS:localhost, DNS:member-0.test, IP Address:127.0.0.1");
      expect(of).toContain("prime256v1");
    });
  },
);

/** Python verifies strictly by default since 3.13: https://docs.python.org/3/library/ssl.html#ssl.create_default_context */
const PYTHON = `
import socket, ssl, sys, threading
assert ssl.create_default_context().verify_flags & ssl.VERIFY_X509_STRICT
d = sys.argv[1]
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(d + "/leaf.pem", d + "/leaf.key")
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    s, _ = listener.accept()
    with server.wrap_socket(s, server_side=True) as t: t.recv(1)
threading.Thread(target=serve, daemon=True).start()
client = ssl.create_default_context(cafile=d + "/ca.pem")
with socket.create_connection(listener.getsockname()) as s, client.wrap_socket(s, server_hostname="member-0.test") as t:
    t.send(b"x"); print(t.version())
`;

/** What starts a Python of 3.13 or newer that finds a folder: this machine's, or one of our images'. */
function findPython(): ((folder: string) => readonly string[]) | undefined {
  const isNew = "import sys; sys.exit(sys.version_info < (3, 13))";
  if (works("python3", ["-c", isNew])) return () => ["python3"];
  try {
    const tags = execFileSync("docker", ["images", "--quiet", "postgres-cluster/patroni"], {
      encoding: "utf8",
    });
    const [image] = tags.split("\n").filter((tag) => tag !== "");
    if (image === undefined) return undefined;
    return (folder) => [
      ...["docker", "run", "--rm", "--volume", `${folder}:${folder}:ro`],
      ...["--user", "0", "--entrypoint", "python3", image],
    ];
  } catch {
    return undefined;
  }
}

describe("Python's strict verification", () => {
  const python = findPython();
  if (!python) console.log("skipped: Python's strict verification needs Python 3.13 or an image of ours");

  (python ? it : it.skip)("accepts a server", () => {
    file("ca.pem", authority.certificatePem);
    file("leaf.pem", leaf.certificatePem);
    file("leaf.key", leaf.privateKeyPem);
    const [program, ...args] = python!(directory);
    const version = execFileSync(program!, [...args, "-c", PYTHON, directory], { encoding: "utf8" });
    expect(version.trim()).toBe("TLSv1.3");
  });
});
