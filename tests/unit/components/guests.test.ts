import {
  guestProblems,
  type HostContext,
  hostGuests,
  scrapeTargets,
  withGuests,
} from "../../../components/guests/host";
import type { DatabaseContribution, WorkloadContribution } from "../../../components/guests/contribution";
import { POOLS } from "../../../components/pools-guest";
import { resolvePatroniGroup } from "../../../components/patroni-group-args";
import { renderKubernetes } from "../../../components/platforms/kubernetes/render";
import { workloadProblems } from "../../../components/platforms/check-workload";
import { shareConnections } from "../../../components/connections";
import { guestPackages } from "../../../stacks/guests";
import { imagesWith } from "../../../config-files/images";
import { KUBERNETES } from "../platforms/contexts";
import { onDocker, onKubernetes } from "../platforms/facts";
import { DATABASE } from "../platforms/workloads";

const EXPORTER: WorkloadContribution = {
  guest: "exporter",
  packages: ["prometheus-sql-exporter"],
  files: { "/etc/exporter": { files: { "queries.yml": "queries: []\n" }, onChange: "reload" } },
  scratch: ["/run/exporter"],
  ports: { metrics: { port: 9187, from: ["prometheus"] } },
  egress: [{ network: "203.0.113.0/24", ports: [443] }],
  companions: [{ name: "exporter", command: ["exporter"], memoryMiB: 64, watch: ["/secrets/exporter-tls"] }],
  metrics: [{ job: "postgres", port: 9187 }],
  checks: [{ name: "exporter", command: ["exporter-check"], timeoutSeconds: 5, remedy: "read its log" }],
};
const SECRETS = { "/secrets/exporter-tls": { name: "database-exporter-tls" } };
const hosted = withGuests(DATABASE, [EXPORTER], SECRETS);

describe("a workload with guests (docs/architecture.md, Guests)", () => {
  test("without any is as it was", () => expect(withGuests(DATABASE, [], {})).toBe(DATABASE));

  test("both platforms run it, and say the same of it", () => {
    expect(workloadProblems(hosted)).toEqual([]);
    expect(onDocker(hosted)).toEqual(onKubernetes(hosted));
    expect(onDocker(hosted).mounts).toEqual(
      expect.arrayContaining(["/etc/exporter", "/etc/guests", "/run/exporter", "/secrets/exporter-tls"]),
    );
  });

  test("a companion's memory is its own: the container has as much more", () => {
    expect(hosted.resources?.memoryMiB).toBe((DATABASE.resources?.memoryMiB ?? 0) + 64);
  });

  test("process 1 and the operators' commands find in the container what they need", () => {
    const told = JSON.parse(hosted.configuration!["/etc/guests"]!.files["guests.json"]!) as object;
    expect(told).toEqual({
      companions: [
        {
          ...{ name: "exporter", command: ["exporter"], memoryMiB: 64, oomScoreAdj: 500, nice: 10 },
          watch: ["/secrets/exporter-tls"],
        },
      ],
      checks: [
        {
          name: "exporter",
          command: ["exporter-check"],
          timeoutSeconds: 5,
          of: "member",
          remedy: "read its log",
        },
      ],
    });
  });

  test("its port is open to whom it says, and it reaches the addresses outside that it names (Kubernetes)", () => {
    const policies = JSON.stringify(renderKubernetes(hosted, KUBERNETES).networkPolicies);
    expect(policies).toContain('"name":"pg-dev-database-from-prometheus"');
    expect(policies).toContain('"port":9187');
    expect(policies).toContain('"ipBlock":{"cidr":"203.0.113.0/24"}');
  });

  test("its metrics are found at every member", () => {
    const platform = {
      replicaName: (workload: string, ordinal: number) => `pg-${workload}-${ordinal}`,
      replicaAddress: (workload: string, ordinal: number) => `pg-${workload}-${ordinal}.example`,
    };
    expect(scrapeTargets({ name: "database", replicas: 2 }, [EXPORTER], platform)).toEqual(
      [0, 1].map((i) => ({
        ...{ job: "postgres", port: 9187, path: "/metrics", scheme: "https", workload: "database" },
        ...{ member: `pg-database-${i}`, address: `pg-database-${i}.example` },
      })),
    );
  });

  test("the image of its host has its packages", () => {
    const guests = {
      database: [EXPORTER],
      etcd: [],
      entry: [],
      pools: [{ guest: "p", packages: ["b", "a"] }],
    };
    const images = imagesWith({ postgresPackages: ["postgresql-17-cron"], guests: guestPackages(guests) });
    const packages = Object.fromEntries(
      Object.entries(images).map(([name, { buildArgs }]) => [name, buildArgs["EXTRA_PACKAGES"]]),
    );
    expect(packages).toEqual({
      ...{ etcd: "", haproxy: "", pgbouncer: "a b" },
      patroni: "postgresql-17-cron prometheus-sql-exporter",
    });
  });

  const second = (wishes: Partial<WorkloadContribution>): WorkloadContribution => ({
    guest: "second",
    ...wishes,
  });
  test.each<[string, WorkloadContribution, string]>([
    ["a name", { guest: "exporter" }, 'uses the name that the guest "exporter" already has'],
    [
      "a port",
      second({ ports: { other: { port: 9187, from: [] } } }),
      'uses the port that the guest "exporter" already has',
    ],
    [
      "a port of the host",
      second({ ports: { other: { port: 5432, from: [] } } }),
      'uses the port that its host "database" already has',
    ],
    [
      "a directory",
      second({ files: { "/etc/exporter": { files: {}, onChange: "reload" } } }),
      'uses the directory that the guest "exporter" already has',
    ],
    [
      "a directory of the host",
      second({ secrets: { "/secrets/tls": {} } }),
      'uses the directory that its host "database" already has',
    ],
    [
      "a companion's name",
      second({ companions: [{ name: "exporter", command: ["x"], memoryMiB: 1 }] }),
      'uses the companion that the guest "exporter" already has',
    ],
  ])("two that want the same are refused, naming both: %s", (_, guest, rule) => {
    expect(guestProblems(DATABASE, [EXPORTER, guest]).map((problem) => problem.rule)).toEqual([rule]);
  });

  test("a companion that cannot run is refused, with why", () => {
    const broken = second({
      companions: [{ name: "B!", command: [], memoryMiB: 0, oomScoreAdj: -5, nice: 20 }],
    });
    expect(guestProblems(DATABASE, [broken])).toHaveLength(5);
  });
});

describe("the names of guests' secrets", () => {
  /** The names of the secrets that a host declares for these guests. */
  function names(guests: readonly WorkloadContribution[]): readonly string[] {
    const made: string[] = [];
    const secret = (name: string): { readonly name: string } => {
      made.push(name);
      return { name };
    };
    const issue = (_: string, { name }: { readonly name: string }) => secret(`${name}-tls`);
    const context = { platform: { secret }, certificates: { issue }, certificate: { replicas: 1 } };
    hostGuests(DATABASE, guests, context as unknown as HostContext);
    return made;
  }
  const of = (guest: string, secrets: number, certificates = 0): WorkloadContribution => ({
    guest,
    secrets: Object.fromEntries([...Array(secrets).keys()].map((i) => [`/secrets/of-${guest}-${i}`, {}])),
    certificates: [...Array(certificates).keys()].map((i) => ({
      ...{ directory: `/secrets/cert-${guest}-${i}`, commonName: guest },
    })),
  });

  test("are those of its host, its own and an ordinal", () => {
    expect(names([of("a", 2, 1)])).toEqual(["database.a.0", "database.a.1", "database.a.0-tls"]);
  });

  test.each([
    ["a guest named like another with an ordinal", [of("a", 2), of("a-1", 1)]],
    ["a guest named like another's certificate", [of("a", 1, 2), of("a-tls", 2, 1), of("a-0-tls", 1)]],
    ["a guest named like a secret of the host", [of("tls", 1, 1), of("root", 1)]],
  ])("are unique: %s", (_, guests) => {
    const made = names(guests);
    expect(made).toHaveLength(
      guests.reduce((sum, guest) => sum + Object.keys(guest.secrets!).length + guest.certificates!.length, 0),
    );
    // The host's own names have no full stop.
    expect(made.every((name) => name.includes("."))).toBe(true);
    expect(new Set(made).size).toBe(made.length);
  });

  test("the pools' guest has no secrets, so nothing of a running stack is renamed", () => {
    expect(names([POOLS])).toEqual([]);
  });
});

describe("a guest of the database", () => {
  const problems = (...guests: readonly DatabaseContribution[]): string[] =>
    resolvePatroniGroup({ scope: "pg" }, "patroni", { guests }).problems.map(
      ({ setting, value, rule }) => `${setting} = ${JSON.stringify(value)}: ${rule}`,
    );

  test("opens a door for roles of its own alone", () => {
    const own = { guest: "own", roles: [{ name: "own" }], access: [{ role: "own", by: "socket" as const }] };
    expect(problems(own)).toEqual([]);
    expect(
      problems({ guest: "thief", access: [{ role: "postgres", by: { certificate: "thief" } }] }),
    ).toEqual(['patroni.guests.thief = "postgres": gives access to a role that is not its own']);
  });

  test("brings no role that somebody else has", () => {
    expect(problems({ guest: "a", roles: [{ name: "app_readonly" }] })).toEqual([
      'patroni.guests.a = "app_readonly": declares a role that the database itself already has',
    ]);
    expect(problems({ guest: "a", roles: [{ name: "x" }] }, { guest: "b", roles: [{ name: "x" }] })).toEqual([
      'patroni.guests.b = "x": declares a role that the guest "a" already has',
    ]);
  });

  test("has its share of the connections, which the pools do without", () => {
    const needs = { entries: 2, pools: 4, databases: 1, directSessions: 5 };
    const parameters = { max_connections: 110, superuser_reserved_connections: 10 };
    expect(shareConnections(needs, parameters)).toMatchObject({ ordinary: 100, perPool: 17 });
    expect(shareConnections({ ...needs, ofGuests: 10 }, parameters)).toMatchObject({
      ordinary: 90,
      perPool: 15,
    });
  });
});
