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
 * The settings of a stack in Pulumi.<stack>.yaml, below `postgres-cluster:`. Settings of components are declared beside them; this file
 * names the sections and declares the stack's own settings. README's table is generated from this schema and its comments.
 */

/** Settings that may differ between the groups of a distributed database. */
const SHARED = { memory: true, cpu: true, cpuLimit: true, volumeSize: true, parameters: true } as const;
const OF_COORDINATORS = PATRONI_GROUP_SETTINGS.pick({ members: true, ...SHARED }).shape;
/** Worker groups do not inherit the number of members. */
const OF_WORKERS = PATRONI_GROUP_SETTINGS.pick(SHARED).shape;
const OF_WORKERS_ALONE = WORKER_POOL_SETTINGS.pick({
  ...{ groups: true, external: true, rebalance: true, members: true },
}).shape;

const clusterName = checkedText("name", (name) =>
  DNS_LABEL.test(name) && name.length <= CLUSTER_NAME_MAX
    ? undefined
    : {
        rule: `must be a DNS label (a-z, 0-9, hyphens inside) of at most ${CLUSTER_NAME_MAX} characters: it is the prefix of member names`,
        remedy: "Use pg-dev, for example",
      },
);

const debianPackage = checkedText("package", (name) =>
  DEBIAN_PACKAGE.test(name)
    ? undefined
    : {
        rule: "must be the name of a Debian package: lower-case letters, digits, plus, minus and full stop",
        remedy: "Use postgresql-17-cron, for example",
      },
);

export const IMAGE_SETTINGS = settings({
  /** Registry and path of the images, such as `registry.example.com/postgres-cluster` (prod). */
  registry: setting(text(), { cost: "replacement", otherwise: "required in prod" }),
  /** Tag or digest of each image (prod). */
  tags: setting(byName("texts by image", z.string()), { cost: "replacement", otherwise: "required in prod" }),
  /** Citus series to fetch from the vendor's repository, such as `14.1` (dev). */
  citusVersion: setting(text(), { default: VERSIONS.citus, cost: "replacement" }),
  /** Folder that is searched first for a Citus package (dev). */
  packages: setting(text(), { default: "~/.cache/postgres-cluster/packages", cost: "replacement" }),
  /** Additional Debian packages in the database image, such as `postgresql-17-cron` (dev). */
  postgresPackages: setting(list("list of names", debianPackage), { default: [], cost: "replacement" }),
  /** Folder with additional CA certificates that image builds trust (dev). */
  caCertificates: setting(text(), { cost: "none", otherwise: "those of this machine" }),
});

const ADOPT_SETTINGS = settings({
  /** The cluster's name, as confirmation. */
  cluster: required(text(), { cost: "none" }),
  /** The passwords that applications use, by role. `new` generates a new password, which you must pass on to the applications. */
  passwords: setting(byName("passwords by role", z.string()), { default: {}, cost: "none" }),
});

export const SETTINGS_SCHEMA = settings({
  /** Which defaults apply: `dev` is small and runs on Docker. `prod` runs on Kubernetes and rejects settings that are only safe for a trial. */
  environment: setting(choice("dev", "prod"), {
    cost: "never",
    otherwise: "the stack's name, if it is one of them",
  }),
  /** The prefix of all names, and Patroni's scope. A different name is a different cluster. */
  cluster: setting(clusterName, { cost: "never", otherwise: "`pg-<stack>`" }),
  /** Adopts, once, a cluster whose stack's state is lost or abandoned ([how](docs/runbooks/adopt-a-cluster.md)). */
  adopt: ADOPT_SETTINGS.readonly().optional(),
  /**
   * Whether the database is distributed over worker groups. `auto` (dev): if Citus is available when the cluster is created. `required`: fails if
   * Citus is not available.
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
  /** The coordinators of a distributed database. Overrides `patroni`. */
  coordinator: settings(over(OF_COORDINATORS, "patroni")).readonly().optional(),
  /** The worker groups of a distributed database. Overrides `patroni`. */
  workers: settings({ ...OF_WORKERS_ALONE, ...over(OF_WORKERS, "patroni") })
    .readonly()
    .optional(),
  /** The entry (HAProxy) and the connection pools (PgBouncer). */
  proxy: PROXY_SETTINGS.readonly().optional(),
  /** The certificates of members and entries. */
  certificates: CERTIFICATE_SETTINGS.readonly().optional(),
  /** The Kubernetes cluster (prod). */
  kubernetes: KUBERNETES_SETTINGS.readonly().optional(),
  /** Where images come from. */
  images: IMAGE_SETTINGS.readonly().optional(),
});

/** The settings as written, with the right types. Defaults come from dev.ts or prod.ts and from the components. */
export type StackSettings = Written<typeof SETTINGS_SCHEMA> & {
  readonly environment: "dev" | "prod";
  readonly cluster: string;
};

/**
 * Reads `config`, the stack's configuration as Pulumi provides it: text by `<project>:<key>`, where objects and numbers are JSON.
 * Invalid values are reported in `problems` and left out of `settings`, so that the rest can be checked in the same run.
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
      rule: `must be dev or prod, because the stack's name "${stack}" is neither`,
      remedy: `Run: pulumi config set environment dev --stack ${stack}`,
    });
  }
  const cluster = written.cluster ?? `pg-${stack}`;
  problems.push(
    ...checkForm(SETTINGS_SCHEMA.pick({ cluster: true }), { cluster }, { values: true }).problems,
  );
  return { settings: { ...written, environment: environment ?? "dev", cluster }, problems };
}

/** The coordinators' settings: their own override those of all groups. */
export const coordinatorSettings = ({ patroni, coordinator }: StackSettings) => ({
  ...patroni,
  ...coordinator,
  parameters: mergeParameters(patroni?.parameters, coordinator?.parameters),
});

/** The worker groups' settings. They do not inherit `patroni.members`, which is for coordinators. */
export const workerSettings = ({ patroni, workers }: StackSettings) => {
  const parameters = mergeParameters(patroni?.parameters, workers?.parameters);
  return { ...patroni, members: undefined, ...workers, parameters };
};

/** Whether the setting is text, even if it looks like a number: `123` is a valid name. */
const isText = (key: string): boolean =>
  unwrap(
    (SETTINGS_SCHEMA.shape as Readonly<Record<string, z.core.$ZodType>>)[key] ?? SETTINGS_SCHEMA,
  ) instanceof z.ZodString;

/** Pulumi passes numbers, booleans and objects as text. */
function parseValue(text: string): unknown {
  if (!/^(\{|\[|-?[0-9]|true$|false$|null$)/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The environment's defaults, overridden by the stack's settings, section by section. */
export function withDefaults(settings: StackSettings, defaults: Partial<StackSettings>): StackSettings {
  const merge = (base: unknown, over: unknown): unknown =>
    isSection(base) && isSection(over)
      ? Object.fromEntries(
          [...Object.keys(base), ...Object.keys(over)].map((key) => [key, merge(base[key], over[key])]),
        )
      : (over ?? base);
  return merge(defaults, settings) as StackSettings;
}
