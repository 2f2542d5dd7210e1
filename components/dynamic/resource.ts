import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { keepMeantCluster } from "../platform/meant-cluster";
import { messageOf } from "./reason";

const ROOT = path.resolve(__dirname, "../..");
const CACHE = path.join(ROOT, "node_modules", ".cache", "providers");

/**
 * A dynamic resource, as `pulumi.dynamic.Resource` is one, whose provider is not serialised again in every run: to find all that its
 * functions use took four of the nine seconds of a preview. The text is kept in `node_modules/.cache` under a digest of
 * everything that it is made of; deleting the folder costs those seconds once.
 */
export class DynamicResource extends pulumi.CustomResource {
  constructor(
    provider: pulumi.dynamic.ResourceProvider,
    name: string,
    props: pulumi.Inputs,
    opts: pulumi.CustomResourceOptions | undefined,
    module: string,
    type: string,
  ) {
    const kind = `${module}:${type}`;
    super(
      `pulumi-nodejs:dynamic/${kind}`,
      name,
      { ...props, __provider: DynamicResource.text(provider, kind) },
      opts,
    );
  }

  /** What Pulumi keeps of a provider in the state. `kind` tells providers apart whose resources' names do not. */
  static text(provider: pulumi.dynamic.ResourceProvider, kind: string): Promise<string> {
    let text = texts.get(provider);
    if (text === undefined) texts.set(provider, (text = keptText(provider, kind)));
    return text;
  }
}

/** Every provider that reaches into a cluster reaches into the one that is meant. */
export const configured = (provider: pulumi.dynamic.ResourceProvider): pulumi.dynamic.ResourceProvider => ({
  ...provider,
  configure: keepMeantCluster,
});

const texts = new WeakMap<pulumi.dynamic.ResourceProvider, Promise<string>>();

async function keptText(given: pulumi.dynamic.ResourceProvider, kind: string): Promise<string> {
  const provider = configured(given);
  const file = path.join(CACHE, `${kind.replace(/\W/g, "-")}-${digestOf(provider)}.js`);
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    const { text } = await pulumi.runtime.serializeFunction(() => provider);
    keep(file, text);
    return text;
  }
}

/** Whoever reads sees a whole file or none. A place that cannot be written to is no reason to fail. */
function keep(file: string, text: string): void {
  const draft = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(CACHE, { recursive: true, mode: 0o700 });
    fs.writeFileSync(draft, text, { mode: 0o600 });
    fs.renameSync(draft, file);
  } catch (error) {
    void pulumi.log.debug(`a provider's text is not kept: ${messageOf(error)}`);
  }
}

const digests = new Map<string, string>();

function digestOfFile(file: string): string {
  let digest = digests.get(file);
  if (digest === undefined)
    digests.set(file, (digest = crypto.createHash("sha256").update(fs.readFileSync(file)).digest("hex")));
  return digest;
}

/**
 * Of the sources that are loaded, the packages, and the functions as they were compiled. What a provider captures beyond its own code must
 * follow from these alone.
 */
function digestOf(provider: pulumi.dynamic.ResourceProvider): string {
  const own = Object.keys(require.cache).filter(
    (file) =>
      file.startsWith(ROOT + path.sep) &&
      !file.slice(ROOT.length).includes(`${path.sep}node_modules${path.sep}`),
  );
  const settings = ["package.json", "package-lock.json", "tsconfig.json"]
    .map((file) => path.join(ROOT, file))
    .filter((file) => fs.existsSync(file));
  const hash = crypto.createHash("sha256").update(process.version);
  for (const file of [...own.sort(), ...settings])
    hash.update(`\n${path.relative(ROOT, file)} ${digestOfFile(file)}`);
  for (const member of Object.values(provider)) hash.update(`\n${String(member)}`);
  return hash.digest("hex").slice(0, 32);
}
