import { issueAuthority, type IssuedCertificate } from "../../components/resources/certificates/issue";
import { PORTS } from "../../config-files/ports";
import type { Finding } from "../../components/reach/finding";
import { Operator } from "../support/commands";
import { onKubernetes, type Promised } from "../support/promises";
import { eventually, type Settings } from "../support/stack";
import { query } from "../support/writer";
import { KubernetesStack } from "./cluster";
import { makeIssuer, provideCertManager, renew, serialOf, type Server, withCertManager } from "./issuer";
import { WriteGaps } from "./write-gaps";

const MEMBERS = 2;
const WORKLOADS = ["etcd", "haproxy", "patroni", "pool-read", "pool-write"];
/** Whoever shows a certificate; the entry passes TLS through. */
const SERVERS: readonly Server[] = [
  ...[0, 1, 2].map((ordinal) => ({ workload: "etcd", ordinal, port: PORTS.etcdClient, asks: false })),
  ...[0, 1].flatMap((ordinal) => [
    { workload: "patroni", ordinal, port: PORTS.patroniRest, asks: false },
    { workload: "patroni", ordinal, port: PORTS.postgres, asks: true },
  ]),
  ...[0, 1].map((ordinal) => ({ workload: "pool-write", ordinal, port: PORTS.pool, asks: true })),
  { workload: "pool-read", ordinal: 0, port: PORTS.pool, asks: true },
];

(withCertManager ? describe : describe.skip)("certificates by an issuer of cert-manager (D9)", () => {
  let stack: KubernetesStack;
  let first: IssuedCertificate;
  let next: IssuedCertificate;
  let gaps: WriteGaps;

  const signedBy = (name: string, ...trusted: readonly IssuedCertificate[]): Settings => ({
    certificates: {
      days: 90,
      issuer: { name, authority: trusted.map(({ certificatePem }) => certificatePem).join("") },
    },
  });

  beforeAll(async () => {
    // Of one name, as an authority that is renewed with another key keeps its own.
    const lifetime = { commonName: "issuer of the test", lifetimeDays: 100 };
    first = await issueAuthority(new Date(), lifetime);
    next = await issueAuthority(new Date(), lifetime);
    await provideCertManager();
    stack = new KubernetesStack("kube-issuer", {
      etcd: { members: 3, memory: "256Mi", cpu: "100m", volumeSize: "1Gi" },
      patroni: {
        ...{ members: MEMBERS, memory: "640Mi", cpu: "300m", volumeSize: "1Gi" },
        parameters: { shared_buffers: "128MB", max_connections: 100 },
      },
      proxy: { entries: 2, writePools: 2, readPools: 1, poolSize: 10, drainSeconds: 10, cpu: "20m" },
      ...signedBy("first", first),
    });
    gaps = new WriteGaps(stack, MEMBERS);
    await Promise.all([
      stack.start(),
      // The namespace is the stack's; `up` waits for the certificates, and so for an issuer in it.
      eventually("there are issuers", 600_000, async () => {
        await makeIssuer(stack, "first", first);
        await makeIssuer(stack, "next", next);
      }),
    ]);
    await stack.prepareWrites();
  });
  afterAll(async () => {
    gaps.report();
    if (!process.env["KEEP_STACK"]) await stack.remove();
  });

  const serials = (...trusted: readonly IssuedCertificate[]): Promise<readonly string[]> =>
    Promise.all(
      SERVERS.map((server) =>
        serialOf(stack, server, trusted.map(({ certificatePem }) => certificatePem).join("")),
      ),
    );
  const pods = async (): Promise<readonly string[]> =>
    (await Promise.all(WORKLOADS.map((workload) => stack.podsOf(workload)))).flat().map(({ uid }) => uid);

  /** Resolves when every server shows another certificate than before, of an authority that is trusted. */
  const renewed = (before: readonly string[], ...trusted: readonly IssuedCertificate[]): Promise<void> =>
    eventually("every member shows its new certificate", stack.readsFilesWithinMs, async () => {
      const now = await serials(...trusted);
      const same = SERVERS.filter((_, i) => now[i] === before[i]);
      if (same.length > 0) throw new Error(JSON.stringify(same));
    });

  /** The same as `gaps.during`, with a client that trusts these authorities, and nothing fails. */
  const during = async (
    promised: Promised,
    trusted: readonly IssuedCertificate[],
    change: () => Promise<unknown>,
  ): Promise<void> => {
    const ca = trusted.map(({ certificatePem }) => certificatePem).join("");
    const { errors } = await gaps.during(promised, change, { ca, maxLifetimeMs: 3000 });
    expect(errors).toEqual([]);
  };

  test("doctor says of each whether it is issued, and when it is renewed (S6)", async () => {
    const { document } = await new Operator(stack).json("doctor");
    const certificates = (document.findings as Finding[]).filter(({ seen }) =>
      /cert-manager renews/.test(seen),
    );
    expect(certificates.map(({ part, ok }) => [part, ok])).toEqual(
      WORKLOADS.map((workload) => [`certificate ${stack.cluster}-${workload}-certificate`, true]),
    );
  });

  test("clients verify the whole way with the issuer's authority, and a second preview plans nothing", async () => {
    const target = await stack.target("app_readwrite");
    expect(target.ca).toBe(first.certificatePem);
    expect(await query(target, "SELECT NOT pg_is_in_recovery() AS leads")).toEqual([{ leads: true }]);
    await serials(first);
    await stack.preview("--expect-no-changes");
  });

  test("a renewal reaches every member: no pod is replaced, no transaction fails, new connections succeed", async () => {
    const [before, uids] = [await serials(first), await pods()];
    await during(onKubernetes("cert-manager renews every certificate"), [first], async () => {
      for (const workload of WORKLOADS) await renew(stack, `${stack.cluster}-${workload}-certificate`);
      await renewed(before, first);
    });
    expect(await pods()).toEqual(uids);
    expect(await query(await stack.target("app_readwrite"), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await stack.preview("--expect-no-changes");
  });

  test("another issuer whose authority nobody trusts yet is refused, and the members go on as they are", async () => {
    const before = await pods();
    const other = await issueAuthority(new Date(), { commonName: "stranger", lifetimeDays: 100 });
    stack.configure(signedBy("first", other));
    await expect(stack.up()).rejects.toThrow(
      /was not signed by the authority that members and clients trust/,
    );
    stack.configure();
    await stack.up();
    expect(await pods()).toEqual(before);
  });

  test("one authority takes the place of another: both are trusted between, and nothing is lost", async () => {
    const both = [first, next];
    await during(onKubernetes("Another authority: every pod replaced, twice"), both, async () => {
      stack.configure(signedBy("first", ...both));
      await stack.up();
    });
    const [before, uids] = [await serials(first), await pods()];
    await during(onKubernetes("cert-manager renews every certificate"), both, async () => {
      stack.configure(signedBy("next", ...both));
      await stack.up();
      await renewed(before, next);
    });
    expect(await pods()).toEqual(uids);
    await during(onKubernetes("Another authority: every pod replaced, twice"), both, async () => {
      stack.configure(signedBy("next", next));
      await stack.up();
    });
    expect((await stack.target("app_readwrite")).ca).toBe(next.certificatePem);
    await serials(next);
  });
});
