// Registers the resources that the file $THINGS lists, in its order.

import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Group, Thing, type ThingInputs } from "./thing";

interface Listed {
  readonly name: string;
  readonly is?: "thing" | "group" | "password" | "hook" | "unknown" | "kubernetes";
  readonly provider?: string;
  readonly type?: string;
  /** `{ from: "other" }` is the other's output, `{ secret: "x" }` a secret. */
  readonly value?: unknown;
  readonly props?: ThingInputs;
  readonly opts?: pulumi.CustomResourceOptions;
  readonly dependsOn?: string[];
  readonly parent?: string;
  readonly deletedWith?: string;
  readonly say?: string;
}

interface Program {
  readonly resources: Listed[];
  readonly outputs?: Record<string, unknown>;
  readonly print?: string;
  readonly fails?: string;
}

/** Of a package whose provider the engine does not have. */
class Foreign extends pulumi.CustomResource {}

const program = JSON.parse(fs.readFileSync(process.env.THINGS ?? "", "utf8")) as Program;
const made = new Map<string, Thing | Group | random.RandomPassword | Foreign>();
const folder = process.env.THINGS_FOLDER ?? ".";

function resource(name: string): Thing | Group | random.RandomPassword | Foreign {
  const found = made.get(name);
  if (found === undefined) throw new Error(`${name} is not listed yet`);
  return found;
}

function output<T>(name: string, type: new (...args: never[]) => T): T {
  const found = resource(name);
  if (!(found instanceof type)) throw new Error(`${name} has no such output`);
  return found;
}

function valueOf(value: unknown): pulumi.Input<unknown> {
  if (Array.isArray(value)) return value.map(valueOf);
  if (typeof value !== "object" || value === null) return value;
  if ("from" in value) return output(String(value.from), Thing).derived;
  if ("secret" in value) return pulumi.secret(valueOf(value.secret));
  if ("config" in value) return new pulumi.Config().require(String(value.config));
  if ("configSecret" in value) return new pulumi.Config().requireSecret(String(value.configSecret));
  if ("password" in value) return output(String(value.password), random.RandomPassword).result;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, valueOf(item)]));
}

for (const each of program.resources) {
  const opts: pulumi.CustomResourceOptions = {
    ...each.opts,
    ...(each.parent === undefined ? {} : { parent: resource(each.parent) }),
    ...(each.dependsOn === undefined ? {} : { dependsOn: each.dependsOn.map(resource) }),
    ...(each.deletedWith === undefined ? {} : { deletedWith: resource(each.deletedWith) }),
  };
  const props = { value: valueOf(each.value), ...(valueOf(each.props ?? {}) as ThingInputs) };
  switch (each.is ?? "thing") {
    case "thing":
      made.set(each.name, new Thing(each.provider ?? "plain", each.name, props, opts, each.type));
      break;
    case "hook": {
      const hook = new pulumi.ResourceHook(each.name, (args) => {
        fs.appendFileSync(`${folder}/journal`, `hook ${args.name} ${String(args.newInputs?.value)}\n`);
      });
      const hooks = { beforeCreate: [hook], afterUpdate: [hook], beforeDelete: [hook] };
      made.set(each.name, new Thing("plain", each.name, props, { ...opts, hooks }));
      break;
    }
    case "group":
      made.set(each.name, new Group(each.name, { value: valueOf(each.value) }, opts));
      break;
    case "password":
      made.set(
        each.name,
        new random.RandomPassword(each.name, { length: 20, ...(each.value as object) }, opts),
      );
      break;
    case "unknown":
      made.set(each.name, new Foreign("nobody:index:Thing", each.name, {}, opts));
      break;
    case "kubernetes":
      made.set(each.name, new Foreign("kubernetes:core/v1:Pod", each.name, {}, opts));
      break;
  }
  if (each.say !== undefined) void pulumi.log.info(each.say, made.get(each.name));
}
if (program.print !== undefined) console.log(program.print);
if (program.fails !== undefined) throw new Error(program.fails);

export const outputs = Object.fromEntries(
  Object.entries(program.outputs ?? {}).map(([key, value]) => [key, valueOf(value)]),
);
