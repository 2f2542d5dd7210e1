import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { issueAuthority, issueLeaf } from "../../../components/resources/certificates/issue";
import { canonicalText, changedInputs } from "../../../components/dynamic/changed-inputs";
import { withHttps } from "../../../components/reach/https-client";
import { isUnknown } from "../../../components/dynamic/unknown-value";
import { waitUntil } from "../../../components/dynamic/wait-until";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("isUnknown", () => {
  it("finds the engine's mark at any depth", () => {
    expect(isUnknown(UNKNOWN)).toBe(true);
    expect(isUnknown({ a: [{ b: UNKNOWN }] })).toBe(true);
    expect(isUnknown({ a: [1, null, "x", undefined] })).toBe(false);
  });
});

describe("changedInputs", () => {
  it("ignores the order of keys and keys without a value", () => {
    expect(canonicalText({ b: 1, a: [{ d: 2, c: undefined }] })).toBe(canonicalText({ a: [{ d: 2 }], b: 1 }));
  });

  it("compares inputs only, and trusts no unknown value with a replacement", () => {
    const olds = { name: "a", size: 1, computed: "x" };
    expect(changedInputs(olds, { name: "a", size: 1, computed: "y" }, ["name", "size"])).toEqual({
      changed: [],
      certain: [],
    });
    expect(changedInputs(olds, { name: UNKNOWN, size: 2 }, ["name", "size"])).toEqual({
      changed: ["name", "size"],
      certain: ["size"],
    });
  });
});

describe("waitUntil", () => {
  it("returns what the look found", async () => {
    let looks = 0;
    const value = await waitUntil({ what: "it works", deadlineSeconds: 5, intervalMs: 1 }, () => {
      looks += 1;
      return looks < 3 ? Promise.reject(new Error("refused")) : Promise.resolve({ done: true, value: looks });
    });
    expect(value).toBe(3);
  });

  it("fails at the deadline with the last reason", async () => {
    const never = waitUntil({ what: "it works", deadlineSeconds: 0.05, intervalMs: 10 }, () =>
      Promise.resolve({ done: false, why: "no" }),
    );
    await expect(never).rejects.toThrow("it works: timed out after 0.05 s. Last seen: no");
  });

  it("explains more at the deadline", async () => {
    const explain = () => Promise.resolve("its log ends with this");
    const look = () => Promise.resolve({ done: false as const, why: "not yet" });
    await expect(waitUntil({ what: "it works", deadlineSeconds: 0.05, explain }, look)).rejects.toThrow(
      "it works: timed out after 0.05 s. Last seen: not yet\nits log ends with this",
    );
  });

  it("looks once with deadline 0, and fails at once with what waiting does not mend", async () => {
    await expect(
      waitUntil({ what: "x", deadlineSeconds: 0 }, () => Promise.resolve({ done: false, why: "no" })),
    ).rejects.toThrow(/^no$/);
    const permanent = Object.assign(new Error("wrong password"), { permanent: true });
    await expect(waitUntil({ what: "x", deadlineSeconds: 60 }, () => Promise.reject(permanent))).rejects.toBe(
      permanent,
    );
  });
});

describe("withHttps", () => {
  const serve = async (dnsName: string) => {
    const ca = await issueAuthority(new Date(), { commonName: "test", lifetimeDays: 1 });
    const leaf = await issueLeaf(new Date(), {
      ...{ commonName: "server", dnsNames: [dnsName], ipAddresses: [], usages: ["server"], lifetimeDays: 1 },
      ...{ authorityCertificatePem: ca.certificatePem, authorityPrivateKeyPem: ca.privateKeyPem },
    });
    const server = createTlsServer(
      { cert: leaf.certificatePem, key: leaf.privateKeyPem },
      (request, response) => {
        if (request.url === "/silent") return;
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () =>
          response.end(JSON.stringify({ method: request.method, body: Buffer.concat(chunks).toString() })),
        );
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return {
      ca: ca.certificatePem,
      reach: { via: "tcp" as const, host: "127.0.0.1", port },
      close: () => server.close(),
    };
  };

  it("sends JSON and parses the answer", async () => {
    const { ca, reach, close } = await serve("member.test");
    const answer = await withHttps({ ca, reach, serverName: "member.test" }, (send) =>
      send({ method: "POST", path: "/", body: { a: 1 } }),
    );
    expect(answer.json).toEqual({ method: "POST", body: '{"a":1}' });
    close();
  });

  it("refuses a server of another name, and one of another authority", async () => {
    const { ca, reach, close } = await serve("member.test");
    const other = await serve("member.test");
    const get = (serverName: string, trusted: string) =>
      withHttps({ ca: trusted, reach, serverName }, (send) => send({ method: "GET", path: "/" }));
    await expect(get("impostor.test", ca)).rejects.toThrow(
      "Hostname/IP does not match certificate's altnames",
    );
    await expect(get("member.test", other.ca)).rejects.toThrow(
      /unable to verify|certificate signature failure/,
    );
    close();
    other.close();
  });

  it("gives up on a server that says nothing", async () => {
    const { ca, reach, close } = await serve("member.test");
    const silent = withHttps({ ca, reach, serverName: "member.test" }, (send) =>
      send({ method: "GET", path: "/silent", timeoutMs: 100 }),
    );
    await expect(silent).rejects.toThrow("GET /silent: no answer within 100 ms");
    close();
  });
});
