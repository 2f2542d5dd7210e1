import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import type { OwnerPlace } from "../components/reach/owner-mark";
import { UsageError } from "./command-error";
import { PROJECT, STATE } from "./programs";

/** The stack that a command is about. */
export interface Stack {
  readonly name: string;
  /** Its Pulumi.<stack>.yaml. */
  readonly settings: string;
  /** The folder of what this machine knows of it. */
  readonly state: string;
}

/** The stack of STACK, default dev. STACK_FOLDER is where its settings and its state lie, in place of the project and its `.state`. */
export function stackOf(env: NodeJS.ProcessEnv): Stack {
  const name = env["STACK"] || "dev";
  const folder = env["STACK_FOLDER"];
  return {
    name,
    settings: path.join(folder ?? PROJECT, `Pulumi.${name}.yaml`),
    state: folder ?? STATE,
  };
}

/** How a command is called for this stack, as a sentence says it. */
export const make = ({ name }: Pick<Stack, "name">, command: string): string =>
  `'make ${command}${name === "dev" ? "" : ` STACK=${name}`}'`;

/** What stands in the stack's settings, as it is written; `of` is whose setting it is. */
export function written(stack: Stack, setting: string, of = "postgres-cluster"): unknown {
  if (!fs.existsSync(stack.settings))
    throw new UsageError(`there is no ${stack.settings}: STACK names the stack, such as prod`);
  const settings = parse(fs.readFileSync(stack.settings, "utf8")) as {
    config?: Record<string, unknown>;
  } | null;
  return settings?.config?.[`${of}:${setting}`];
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
/** A setting of a section, such as `patroni.database`. */
const of = (section: unknown, key: string): unknown =>
  typeof section === "object" && section !== null ? (section as Record<string, unknown>)[key] : undefined;

/** What the names of the stack's members start with, as `stacks/settings.ts` reads it. */
export const clusterName = (stack: Stack): string => text(written(stack, "cluster")) ?? `pg-${stack.name}`;

/** The application's database, as `resolvePatroniCluster` has it. */
export const databaseName = (stack: Stack): string =>
  text(of(written(stack, "patroni"), "database")) ?? "app";

export const clusterDomain = (stack: Stack): string | undefined =>
  text(of(written(stack, "kubernetes"), "clusterDomain"));

/** Where the stack's data are. */
export function ownerPlace(stack: Stack): OwnerPlace {
  const cluster = clusterName(stack);
  const environment = text(written(stack, "environment")) ?? stack.name;
  return environment === "prod"
    ? { via: "kubernetes", cluster, namespace: text(written(stack, "namespace")) ?? "postgres" }
    : { via: "docker", cluster };
}

/** Workers that somebody else runs: no member tells of them. */
export const externalWorkers = (stack: Stack): readonly { readonly group: number; readonly host: string }[] =>
  (of(written(stack, "workers"), "external") ?? []) as readonly { group: number; host: string }[];
