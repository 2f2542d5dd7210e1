import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import type { OwnerPlace } from "../components/reach/owner-mark";
import { UsageError } from "./command-error";
import { PROJECT, STATE } from "./programs";

/** The stack that a command applies to. */
export interface Stack {
  readonly name: string;
  /** Its Pulumi.<stack>.yaml. */
  readonly settings: string;
  /** The folder with its local state. */
  readonly state: string;
}

/** The stack that STACK names, `dev` by default. STACK_FOLDER replaces the folders of its settings and state (the project and its `.state`). */
export function stackOf(env: NodeJS.ProcessEnv): Stack {
  const name = env["STACK"] || "dev";
  const folder = env["STACK_FOLDER"];
  return {
    name,
    settings: path.join(folder ?? PROJECT, `Pulumi.${name}.yaml`),
    state: folder ?? STATE,
  };
}

/** How a command is run for this stack, for messages: `'make up STACK=prod'`. */
export const make = ({ name }: Pick<Stack, "name">, command: string): string =>
  `'make ${command}${name === "dev" ? "" : ` STACK=${name}`}'`;

/** The value of a setting in `Pulumi.<stack>.yaml`, unchecked; `of` is the project or provider that it belongs to. */
export function written(stack: Stack, setting: string, of = "postgres-cluster"): unknown {
  if (!fs.existsSync(stack.settings))
    throw new UsageError(`${stack.settings} does not exist: set STACK to the name of a stack, such as prod`);
  const settings = parse(fs.readFileSync(stack.settings, "utf8")) as {
    config?: Record<string, unknown>;
  } | null;
  return settings?.config?.[`${of}:${setting}`];
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
/** A setting of a section, such as `patroni.database`. */
const of = (section: unknown, key: string): unknown =>
  typeof section === "object" && section !== null ? (section as Record<string, unknown>)[key] : undefined;

/** The prefix of the members' names; the same rule as in `stacks/settings.ts`. */
export const clusterName = (stack: Stack): string => text(written(stack, "cluster")) ?? `pg-${stack.name}`;

/** The declared settings, for their defaults. Loaded only if a default is needed, because that takes a fifth of a second. */
const declared = () => (require("../stacks/settings") as typeof import("../stacks/settings")).SETTINGS_SCHEMA;

/** The application's database. */
export const databaseName = (stack: Stack): string =>
  text(of(written(stack, "patroni"), "database")) ??
  declared().shape.patroni.unwrap().unwrap().shape.database.parse(undefined);

/** The DNS domain of the Kubernetes cluster. */
export const clusterDomain = (stack: Stack): string =>
  text(of(written(stack, "kubernetes"), "clusterDomain")) ??
  declared().shape.kubernetes.unwrap().unwrap().shape.clusterDomain.parse(undefined);

/** Where the stack's cluster runs. */
export function ownerPlace(stack: Stack): OwnerPlace {
  const cluster = clusterName(stack);
  const environment = text(written(stack, "environment")) ?? stack.name;
  return environment === "prod"
    ? { via: "kubernetes", cluster, namespace: namespaceOf(stack) }
    : { via: "docker", cluster };
}

const namespaceOf = (stack: Stack): string =>
  text(written(stack, "namespace")) ?? declared().shape.namespace.parse(undefined);

/** External workers; they are not among the members. */
export const externalWorkers = (stack: Stack): readonly { readonly group: number; readonly host: string }[] =>
  (of(written(stack, "workers"), "external") ?? []) as readonly { group: number; host: string }[];
