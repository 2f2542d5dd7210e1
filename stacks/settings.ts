import { z } from "zod";
import type { Problem } from "../components/settings/problems";
import { mergeParameters } from "../config-files/postgres/parameters";
import { CLUSTER_NAME_MAX, DNS_LABEL } from "../components/reach/names";
import { CPU_RULE, SIZE_RULE } from "../components/size";
import { checkForm, isSection, unwrap } from "./form";

/**
 * The settings of a stack: what may stand in Pulumi.<stack>.yaml, below `postgres-cluster:`. Shapes and types are checked here;
 * what a value may be is the business of the component that uses it (`resolveX`). The README's table is made from this schema.
 */
const size = (what: string) => z.string({ error: `${SIZE_RULE}, such as 512Mi` }).describe(what);
const cores = (what: string) => z.union([z.number(), z.string()], { error: CPU_RULE }).describe(what);
const count = (what: string) => z.number().int().describe(what);

const CPU = {
  cpu: cores("Cores that are set aside for a member (`2`, `500m`)."),
  cpuLimit: cores("The most that a member gets, `none` for what is free; by default what is set aside."),
};

/** What may differ between the groups of a distributed database. */
const GROUP = {
  members: count("1 to 7."),
  memory: size("Memory limit of a member."),
  ...CPU,
  volumeSize: size("Size of a member's data volume (Kubernetes)."),
  parameters: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .describe("PostgreSQL parameters of these members."),
};

const SCHEMA = z.strictObject({
  environment: z
    .enum(["dev", "prod"])
    .describe(
      "Which defaults apply: `dev` is small and runs on Docker, `prod` runs on Kubernetes and refuses what only a trial may have.",
    )
    .optional(),
  cluster: z
    .string()
    .describe("What every name starts with; also Patroni's scope. Changing it makes a new cluster.")
    .optional(),
  adopt: z
    .strictObject({
      cluster: z.string().describe("The cluster's name, once more."),
      passwords: z
        .record(z.string(), z.string())
        .describe(
          "What applications log in with, by role; `new` for another password, of which they must be told.",
        )
        .optional(),
    })
    .describe(
      "Takes over a cluster whose stack's state is lost or given up, once ([how](docs/runbooks/adopt-a-cluster.md)).",
    )
    .optional(),
  citus: z
    .enum(["auto", "required", "off"])
    .describe(
      "Whether the database is distributed over worker groups. `auto` (dev): if Citus can be had when the cluster is made. `required`: its absence is an error.",
    )
    .optional(),
  namespace: z.string().describe("Kubernetes namespace.").optional(),
  etcd: z
    .strictObject({
      members: count("3 or 5; 1 only in dev."),
      quota: size("How much a member may store before it refuses writes."),
      volumeSize: size("Size of a member's data volume (Kubernetes)."),
      memory: size("Memory limit of a member."),
      ...CPU,
    })
    .partial()
    .describe("The configuration store.")
    .optional(),
  patroni: z
    .strictObject({
      members: count("1 to 7."),
      postgresVersion: z.union([z.number(), z.string()]).describe("Major version of PostgreSQL."),
      synchronous: z
        .enum(["quorum", "strict"])
        .describe(
          "What happens without enough standbys. `quorum` goes on with fewer copies when no standby is left, `strict` stops writes instead.",
        ),
      synchronousReplicas: count("How many standbys must hold a transaction before it is acknowledged."),
      timing: z
        .strictObject({
          ttlSeconds: count("How long the leader's lease lasts."),
          loopWaitSeconds: count("Patroni's interval."),
          retryTimeoutSeconds: count("How long DCS and PostgreSQL operations are retried."),
        })
        .partial()
        .describe("How fast a failure is noticed."),
      parameters: z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
        .describe("PostgreSQL parameters, over the defaults of config-files/postgres/postgres.md."),
      database: z.string().describe("The application's database."),
      extensions: z
        .array(z.string())
        .describe(
          "Extensions of the application's database, besides pg_stat_statements; the image has `vector` and those of PostgreSQL.",
        ),
      volumeSize: size("Size of a member's data volume (Kubernetes)."),
      memory: size("Memory limit of a member."),
      ...CPU,
    })
    .partial()
    .describe("The database members.")
    .optional(),
  coordinator: z
    .strictObject(GROUP)
    .partial()
    .describe("The coordinators of a distributed database, over `patroni`.")
    .optional(),
  workers: z
    .strictObject({
      groups: z
        .union([
          count("A count."),
          z.array(
            z.strictObject({ group: count("Its number.") }).extend(z.strictObject(GROUP).partial().shape),
          ),
        ])
        .describe(
          "How many worker groups, or a list of them (`- group: 1`), whose entries may have settings of their own.",
        ),
      external: z
        .array(
          z.strictObject({
            group: count("Its number."),
            host: z.string(),
            port: count("Its port.").optional(),
            joined: z.boolean().describe("Add it; `false` only issues its certificate.").optional(),
          }),
        )
        .describe(
          "Workers that somebody else runs (`- {group: 7, host: db7.example.com}`): they are added, drained and removed as groups are ([how](docs/runbooks/external-worker.md)).",
        ),
      rebalance: z.boolean().describe("Spread the shards anew when a group was added."),
      ...GROUP,
    })
    .partial()
    .describe("The worker groups of a distributed database, over `patroni`.")
    .optional(),
  proxy: z
    .strictObject({
      entries: count("How many HAProxy."),
      writePools: count("How many PgBouncer for writes."),
      readPools: count("How many PgBouncer for reads."),
      poolSize: count(
        "Server connections of each PgBouncer, for a database and user; all users of a database get up to twice that. All pools and direct sessions must fit into `max_connections` of one member.",
      ),
      databases: count("How many databases applications use through the pools; they share the connections."),
      directSessions: count("Sessions past the pools that each entry opens to a member."),
      resetSessions: z
        .boolean()
        .describe(
          "Undo after each transaction what it left in its session; `false` is faster, and it reaches other clients ([which](config-files/pgbouncer/pgbouncer.md)).",
        ),
      maxClients: count("Client connections that each PgBouncer admits."),
      memory: size("Memory limit of each HAProxy and each PgBouncer; by default what `maxClients` may need."),
      connectionsPerSecond: count("New connections a second that one client address may open at the entry."),
      maximumLag: size("A replica that is further behind gets no reads."),
      drainSeconds: count(
        "How long an entry or a pool that is stopped lets its sessions go on; have applications renew their connections sooner.",
      ),
      names: z
        .array(z.string())
        .describe("Further names or addresses of the entry, such as `db.example.com`, for its certificates."),
      cpu: cores("Cores that are set aside for each HAProxy and each PgBouncer, which may use more."),
      ports: z
        .strictObject({
          write: count("Host port of the write endpoint."),
          read: count("Host port of the read endpoint."),
          statistics: count("Host port of the statistics page."),
        })
        .partial()
        .describe("On 127.0.0.1, for the first entry; each further entry has them 10 higher (Docker)."),
    })
    .partial()
    .describe("The entry and the connection pools.")
    .optional(),
  certificates: z
    .strictObject({
      authorityDays: count("Lifetime of the cluster's own certificate authority, in days."),
      days: count(
        "Lifetime of a certificate, in days; it is renewed in its last third, by the first `up` or by the issuer.",
      ),
      formerAuthority: z
        .enum(["serve", "trust", "forget"])
        .describe(
          "Of a cluster that was adopted: members show certificates of the authority that it had, and trust both (`serve`); show their own (`trust`); trust their own alone (`forget`).",
        ),
      issuer: z
        .strictObject({
          name: z.string().describe("Its name."),
          kind: z
            .string()
            .describe(
              "`Issuer`, which lies in the namespace, or `ClusterIssuer`; `Issuer` if nothing is said.",
            ),
          group: z.string().describe("API group of the kind; `cert-manager.io` if nothing is said."),
          authority: z
            .string()
            .describe(
              "PEM of the authority that it signs with, to the end of its chain, which members, clients and `up` trust; of two while one takes the place of the other.",
            ),
        })
        .partial()
        .describe(
          "cert-manager signs and renews, in place of an authority of the cluster's own (Kubernetes, [how](docs/kubernetes.md)). The issuer must be this cluster's alone: whoever has a certificate of it gets in.",
        ),
    })
    .partial()
    .describe("The certificates of members and entries.")
    .optional(),
  kubernetes: z
    .strictObject({
      storageClass: z.string().describe("Class of the data volumes; else the cluster's default."),
      exposeAs: z
        .enum(["ClusterIP", "NodePort", "LoadBalancer"])
        .describe("How the entry is reached; `ClusterIP` from inside the Kubernetes cluster only."),
      exposeAnnotations: z
        .record(z.string(), z.string())
        .describe("Annotations of the entry's Service, such as those of a cloud's load balancer."),
      clusterDomain: z.string().describe("DNS domain of the Kubernetes cluster."),
      priorityClass: z.string().describe("Priority class of the pods; it must exist."),
      directFrom: z
        .array(z.union([z.cidrv4(), z.cidrv6()]))
        .min(1)
        .describe(
          "Networks from which `pulumi up` reaches members by their own addresses, such as that of runners inside the Kubernetes cluster; else it goes through the API server. The superuser's password is good from there.",
        ),
      imagePullSecret: z
        .string()
        .describe("Secret of the namespace with the registry's credentials; it must exist."),
    })
    .partial()
    .describe("What the Kubernetes cluster is like (prod).")
    .optional(),
  images: z
    .strictObject({
      registry: z
        .string()
        .describe("Where the images lie, such as `registry.example.com/postgres-cluster` (prod)."),
      tags: z.record(z.string(), z.string()).describe("Tag or digest by image (prod)."),
      citusVersion: z
        .string()
        .describe("Series of Citus that is fetched from its vendor, such as `14.1` (dev)."),
      packages: z
        .string()
        .describe(
          "Folder in which a Citus package is looked for first, `~/.cache/postgres-cluster/packages` (dev).",
        ),
      postgresPackages: z
        .array(z.string())
        .describe("Further Debian packages in the database's image, such as `postgresql-17-cron` (dev)."),
      caCertificates: z
        .string()
        .describe("Folder with additional CA certificates that image builds trust (dev)."),
    })
    .partial()
    .describe("Where images come from.")
    .optional(),
});

/** The settings as written, of the right types. Defaults come from dev.ts or prod.ts and from the components. */
export type StackSettings = z.infer<typeof SCHEMA> & {
  readonly environment: "dev" | "prod";
  readonly cluster: string;
};

export const SETTINGS_SCHEMA = SCHEMA;

/**
 * Reads `config`, the stack's configuration as Pulumi hands it over: `<project>:<key>` to text, where objects and numbers are JSON.
 * What has no meaning is told in `problems` and left out of `settings`, so that the rest can be checked in the same run.
 */
export function readSettings(
  config: Readonly<Record<string, string>>,
  project: string,
  stack: string,
): { readonly settings: StackSettings; readonly problems: readonly Problem[] } {
  const own = Object.entries(config).filter(([key]) => key.startsWith(`${project}:`));
  const raw = Object.fromEntries(
    own.map(([name, text]) => {
      const key = name.slice(project.length + 1);
      return [key, isText(key) ? text : parseValue(text)];
    }),
  );
  const { kept, problems: forms } = checkForm(SCHEMA, raw);
  const written = SCHEMA.parse(kept);
  const problems = [...forms];

  const environment = written.environment ?? (stack === "prod" || stack === "dev" ? stack : undefined);
  if (!environment && raw["environment"] === undefined) {
    problems.push({
      setting: "environment",
      value: undefined,
      rule: `must be dev or prod, and the stack's name "${stack}" does not tell`,
      remedy: `Run: pulumi config set environment dev --stack ${stack}`,
    });
  }
  const cluster = written.cluster ?? `pg-${stack}`;
  if (!DNS_LABEL.test(cluster) || cluster.length > CLUSTER_NAME_MAX) {
    problems.push({
      setting: "cluster",
      value: cluster,
      rule: `must be a DNS label (a-z, 0-9, hyphens inside) of at most ${CLUSTER_NAME_MAX} characters, since names of members are made from it`,
      remedy: "Use for instance pg-dev",
    });
  }
  return { settings: { ...written, environment: environment ?? "dev", cluster }, problems };
}

/** What the coordinators are told: their own settings over those that all groups share. */
export const coordinatorSettings = ({ patroni, coordinator }: StackSettings) => ({
  ...patroni,
  ...coordinator,
  parameters: mergeParameters(patroni?.parameters, coordinator?.parameters),
});

/** What the worker groups are told. How many members they have is theirs alone: `patroni.members` is about coordinators. */
export const workerSettings = ({ patroni, workers }: StackSettings) => {
  const parameters = mergeParameters(patroni?.parameters, workers?.parameters);
  return { ...patroni, members: undefined, ...workers, parameters };
};

/** Whether the setting is one text, whatever it looks like: `123` is a good name. */
const isText = (key: string): boolean =>
  unwrap((SCHEMA.shape as Readonly<Record<string, z.core.$ZodType>>)[key] ?? SCHEMA) instanceof z.ZodString;

/** Numbers, booleans and objects arrive as their text. */
function parseValue(text: string): unknown {
  if (!/^(\{|\[|-?[0-9]|true$|false$|null$)/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The stack's settings over the environment's defaults, section by section. */
export function withDefaults(settings: StackSettings, defaults: Partial<StackSettings>): StackSettings {
  const merge = (base: unknown, over: unknown): unknown =>
    isSection(base) && isSection(over)
      ? Object.fromEntries(
          [...Object.keys(base), ...Object.keys(over)].map((key) => [key, merge(base[key], over[key])]),
        )
      : (over ?? base);
  return merge(defaults, settings) as StackSettings;
}
