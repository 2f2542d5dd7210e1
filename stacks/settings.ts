import { z } from "zod";
import { CERTIFICATE_SETTINGS } from "../components/certificate-settings";
import { ETCD_SETTINGS } from "../components/etcd-settings";
import { APPLICATION_DATABASE_SETTINGS, PATRONI_GROUP_SETTINGS } from "../components/patroni-group-settings";
import { KUBERNETES_SETTINGS } from "../components/platforms/kubernetes/settings";
import { PROXY_SETTINGS } from "../components/proxy-settings";
import { CLUSTER_NAME_MAX, DNS_LABEL } from "../components/reach/names";
import { checkForm, isSection } from "../components/settings/form";
import { byName, checkedText, choice, list, text } from "../components/settings/kinds";
import type { Problem } from "../components/settings/problems";
import { over, required, setting, settings, unwrap, type Written } from "../components/settings/setting";
import { WORKER_POOL_SETTINGS } from "../components/worker-pool-settings";
import { DEBIAN_PACKAGE } from "../config-files/images";
import { mergeParameters } from "../config-files/postgres/parameters";
import { VERSIONS } from "../config-files/versions";

/**
 * The settings of a stack: what may stand in Pulumi.<stack>.yaml, below `postgres-cluster:`. Those of components are declared beside them;
 * here is who has which name, and what is the stack's own. README's table is made from this schema and the comments in it.
 */

/** What may differ between the groups of a distributed database. */
const SHARED = { memory: true, cpu: true, cpuLimit: true, volumeSize: true, parameters: true } as const;
const OF_COORDINATORS = PATRONI_GROUP_SETTINGS.pick({ members: true, ...SHARED }).shape;
/** How many members worker groups have is theirs alone. */
const OF_WORKERS = PATRONI_GROUP_SETTINGS.pick(SHARED).shape;
const OF_WORKERS_ALONE = WORKER_POOL_SETTINGS.pick({
  ...{ groups: true, external: true, rebalance: true, members: true },
}).shape;

const clusterName = checkedText("name", (name) =>
  DNS_LABEL.test(name) && name.length <= CLUSTER_NAME_MAX
    ? undefined
    : {
        rule: `must be a DNS label (a-z, 0-9, hyphens inside) of at most ${CLUSTER_NAME_MAX} characters, since names of members are made from it`,
        remedy: "Use for instance pg-dev",
      },
);

const debianPackage = checkedText("package", (name) =>
  DEBIAN_PACKAGE.test(name)
    ? undefined
    : {
        rule: "must be the name of a Debian package: lower-case letters, digits, plus, minus and full stop",
        remedy: "Write for instance postgresql-17-cron",
      },
);

export const IMAGE_SETTINGS = settings({
  /** Registry and folder of the images, such as `registry.example.com/postgres-cluster` (prod). */
  registry: setting(text(), { cost: "replacement", otherwise: "required in prod" }),
  /** Tag or digest of each image (prod). */
  tags: setting(byName("texts by image", z.string()), { cost: "replacement", otherwise: "required in prod" }),
  /** Series of Citus that is fetched from its vendor, such as `14.1` (dev). */
  citusVersion: setting(text(), { default: VERSIONS.citus, cost: "replacement" }),
  /** Folder in which a Citus package is looked for first (dev). */
  packages: setting(text(), { default: "~/.cache/postgres-cluster/packages", cost: "replacement" }),
  /** Further Debian packages in the database's image, such as `postgresql-17-cron` (dev). */
  postgresPackages: setting(list("list of names", debianPackage), { default: [], cost: "replacement" }),
  /** Folder with additional CA certificates that image builds trust (dev). */
  caCertificates: setting(text(), { cost: "none", otherwise: "those of this machine" }),
});

const ADOPT_SETTINGS = settings({
  /** The cluster's name, once more. */
  cluster: required(text(), { cost: "none" }),
  /** What applications log in with, by role; `new` for another password, of which they must be told. */
  passwords: setting(byName("passwords by role", z.string()), { default: {}, cost: "none" }),
});

export const SETTINGS_SCHEMA = settings({
  /** Which defaults apply: `dev` is small and runs on Docker, `prod` runs on Kubernetes and refuses what only a trial may have. */
  environment: setting(choice("dev", "prod"), {
    cost: "never",
    otherwise: "the stack's name, if it is one of them",
  }),
  /** The prefix of every name, and Patroni's scope. Another one is another cluster. */
  cluster: setting(clusterName, { cost: "never", otherwise: "`pg-<stack>`" }),
  /** Takes over a cluster whose stack's state is lost or given up, once ([how](docs/runbooks/adopt-a-cluster.md)). */
  adopt: ADOPT_SETTINGS.readonly().optional(),
  /**
   * Whether the database is distributed over worker groups. `auto` (dev): if Citus is available when the cluster is made. `required`: its absence
   * is an error.
   */
  citus: setting(choice("auto", "required", "off"), { default: "auto", cost: "never" }),
  /** Kubernetes namespace. */
  namespace: setting(text(), { default: "postgres", cost: "never" }),
  /** The configuration store. */
  etcd: ETCD_SETTINGS.readonly().optional(),
  /** The database members. */
  patroni: settings({ ...PATRONI_GROUP_SETTINGS.shape, ...APPLICATION_DATABASE_SETTINGS.shape })
    .readonly()
    .optional(),
  /** The coordinators of a distributed database, over `patroni`. */
  coordinator: settings(over(OF_COORDINATORS, "patroni")).readonly().optional(),
  /** The worker groups of a distributed database, over `patroni`. */
  workers: settings({ ...OF_WORKERS_ALONE, ...over(OF_WORKERS, "patroni") })
    .readonly()
    .optional(),
  /** The entry and the connection pools. */
  proxy: PROXY_SETTINGS.readonly().optional(),
  /** The certificates of members and entries. */
  certificates: CERTIFICATE_SETTINGS.readonly().optional(),
  /** What the Kubernetes cluster is like (prod). */
  kubernetes: KUBERNETES_SETTINGS.readonly().optional(),
  /** Where images come from. */
  images: IMAGE_SETTINGS.readonly().optional(),
});

/** The settings as written, of the right types. Defaults come from dev.ts or prod.ts and from the components. */
export type StackSettings = Written<typeof SETTINGS_SCHEMA> & {
  readonly environment: "dev" | "prod";
  readonly cluster: string;
};

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
  const { kept, problems: forms } = checkForm(SETTINGS_SCHEMA, raw);
  const written = kept as Written<typeof SETTINGS_SCHEMA>;
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
  problems.push(
    ...checkForm(SETTINGS_SCHEMA.pick({ cluster: true }), { cluster }, { values: true }).problems,
  );
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
  unwrap(
    (SETTINGS_SCHEMA.shape as Readonly<Record<string, z.core.$ZodType>>)[key] ?? SETTINGS_SCHEMA,
  ) instanceof z.ZodString;

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
