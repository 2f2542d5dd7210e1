import * as pulumi from "@pulumi/pulumi";
import { name as PACKAGE } from "../../package.json";

/**
 * A dynamic resource like `pulumi.dynamic.Resource`, but its state contains the location of its provider instead of the provider's whole code.
 * This keeps the state and previews as JSON short, and nothing is serialised (docs/decisions/0037-the-state-names-a-provider.md).
 */
export class DynamicResource extends pulumi.CustomResource {
  /**
   * @param provider the file below components/, without its extension, and the exported name: `resources/etcd/trust#etcdTrustProvider`
   * @param former type and name of the resource in states of older versions
   */
  constructor(
    provider: string,
    name: string,
    props: pulumi.Inputs,
    opts: pulumi.CustomResourceOptions | undefined,
    module: string,
    type: string,
    former?: { readonly type: string; readonly name: string },
  ) {
    const token = (of: string): string => `pulumi-nodejs:dynamic/${module}:${of}`;
    const aliases = former && [{ type: token(former.type), name: former.name }];
    const options = aliases ? pulumi.mergeOptions(opts, { aliases }) : opts;
    super(token(type), name, { ...props, __provider: found(provider) }, options);
  }
}

/**
 * What Pulumi stores: a module whose `handler` returns the provider (cmd/dynamic-provider of the SDK). It searches upwards from the working
 * directory for this package: the project itself is the package, or has it in `node_modules`. The text is the same on every machine.
 */
const found = (provider: string): string => `exports.handler = () => {
  const { existsSync, readFileSync } = require("node:fs");
  const { dirname, join } = require("node:path");
  const isPackage = (folder) => {
    const file = join(folder, "package.json");
    return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).name === "${PACKAGE}";
  };
  for (let folder = process.cwd(), below; folder !== below; below = folder, folder = dirname(folder))
    for (const root of [folder, join(folder, "node_modules", "${PACKAGE}")])
      if (isPackage(root)) return require(join(root, "components/dynamic/provider.js")).provider("${provider}");
  throw new Error("the package ${PACKAGE} is neither in " + process.cwd() + " nor above it: npm ci");
};
`;
