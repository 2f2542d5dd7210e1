// A dynamic resource that notes every step in a journal, waits at gates and fails where a test wants it to.

import * as pulumi from "@pulumi/pulumi";

export interface ThingInputs {
  /** Any text; `derived` is computed from it. */
  readonly value?: pulumi.Input<unknown>;
  /** A change of it replaces the thing. */
  readonly kind?: pulumi.Input<string>;
  /** The step of this name ends only when the file gates/<name> exists. */
  readonly gate?: string;
  /** The step of this name fails; "half" leaves a thing behind that is not ready. */
  readonly fail?: string;
  /** What its reading says: "gone", a new value, or "unreadable": that fails. */
  readonly found?: string;
}

type Props = Record<string, unknown> & { label: string };

const plain: pulumi.dynamic.ResourceProvider = {
  async create(inputs: Props) {
    const fs = require("node:fs") as typeof import("node:fs");
    const folder = process.env.THINGS_FOLDER ?? ".";
    const note = (op: string): void => fs.appendFileSync(`${folder}/journal`, `${op} ${inputs.label}\n`);
    note("create");
    while (inputs.gate === "create" && !fs.existsSync(`${folder}/gates/${inputs.label}`)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const outs = { ...inputs, derived: `${String(inputs.value)}-derived` };
    if (inputs.fail === "half") {
      throw Object.assign(new Error(`${inputs.label} is not ready: ${String(inputs.value)}`), {
        id: inputs.label,
        properties: outs,
        reasons: ["not ready"],
      });
    }
    if (inputs.fail === "create")
      throw new Error(`${inputs.label} cannot be created: ${String(inputs.value)}`);
    note("created");
    return { id: inputs.label, outs };
  },
  async update(_id: string, olds: Props, inputs: Props) {
    const fs = require("node:fs") as typeof import("node:fs");
    const folder = process.env.THINGS_FOLDER ?? ".";
    const note = (op: string): void => fs.appendFileSync(`${folder}/journal`, `${op} ${inputs.label}\n`);
    note("update");
    if (inputs.fail === "update") throw new Error(`${inputs.label} cannot be updated`);
    note(`updated ${String(olds.value)}->${String(inputs.value)}`);
    return { outs: { ...inputs, derived: `${String(inputs.value)}-derived` } };
  },
  async delete(_id: string, props: Props) {
    const fs = require("node:fs") as typeof import("node:fs");
    const folder = process.env.THINGS_FOLDER ?? ".";
    const note = (op: string): void => fs.appendFileSync(`${folder}/journal`, `${op} ${props.label}\n`);
    note("delete");
    if (props.fail === "delete") throw new Error(`${props.label} cannot be deleted`);
    note("deleted");
  },
  async read(id: string, props: Props) {
    const fs = require("node:fs") as typeof import("node:fs");
    const found = `${process.env.THINGS_FOLDER ?? "."}/found/${props.label}`;
    if (!fs.existsSync(found)) return { id, props };
    const text = fs.readFileSync(found, "utf8");
    if (text === "unreadable") throw new Error(`${props.label} cannot be read`);
    return text === "gone" ? {} : { id, props: { ...props, value: text } };
  },
};

/** The same with a diff of its own: `kind` replaces. */
const choosy: pulumi.dynamic.ResourceProvider = {
  ...plain,
  async diff(_id: string, olds: Props, news: Props) {
    const same = (key: string): boolean => JSON.stringify(olds[key]) === JSON.stringify(news[key]);
    const replaces = same("kind") ? [] : ["kind"];
    const changes = !["value", "kind", "fail"].every(same);
    return { changes, replaces, deleteBeforeReplace: news.kindFirst === true };
  },
};

/** What a later release of the provider looks like: the same resource, other code. */
const revised: pulumi.dynamic.ResourceProvider = {
  ...plain,
  async update(_id: string, olds: Props, inputs: Props) {
    const fs = require("node:fs") as typeof import("node:fs");
    fs.appendFileSync(`${process.env.THINGS_FOLDER ?? "."}/journal`, `revised-update ${inputs.label}\n`);
    return { outs: { ...inputs, derived: `${String(olds.value)}-revised` } };
  },
  async delete(_id: string, props: Props) {
    const fs = require("node:fs") as typeof import("node:fs");
    fs.appendFileSync(`${process.env.THINGS_FOLDER ?? "."}/journal`, `revised-delete ${props.label}\n`);
  },
};

const providers: Record<string, pulumi.dynamic.ResourceProvider> = { plain, choosy, revised };

export class Thing extends pulumi.dynamic.Resource {
  declare readonly derived: pulumi.Output<string>;
  declare readonly value: pulumi.Output<string>;

  constructor(
    provider: string,
    name: string,
    inputs: ThingInputs,
    opts: pulumi.CustomResourceOptions,
    type = "Thing",
  ) {
    const props = { derived: undefined, label: name, ...inputs };
    super(providers[provider] ?? plain, name, props, opts, "tests", type);
  }
}

export class Group extends pulumi.ComponentResource {
  constructor(name: string, args: object, opts: pulumi.ComponentResourceOptions) {
    super("tests:index:Group", name, args, opts);
    this.registerOutputs({});
  }
}
