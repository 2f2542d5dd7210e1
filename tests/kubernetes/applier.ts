/**
 * Kubernetes objects for the local engine, so that what the program registers is applied to an API server where there is no Pulumi
 * CLI: server-side apply with strict validation. For tests: it knows the kinds that our platform makes.
 */
import { execFile } from "node:child_process";
import type { Properties } from "../../local-engine/properties";
import type { Provider } from "../../local-engine/providers/provider";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

/** The program, and what KUBECTL says that comes first. */
export function kubectlCommand(): [program: string, ...first: string[]] {
  const [program = "kubectl", ...first] = (process.env["KUBECTL"] ?? "kubectl").split(" ");
  return [program, ...first];
}

/** Runs kubectl and gives what it said; fails when it does. */
export function kubectlSays(args: readonly string[], input?: string): Promise<Said> {
  const [program, ...first] = kubectlCommand();
  return new Promise((resolve, reject) => {
    // Given, since Jest's tests have a copy of the environment, which children do not see by themselves.
    const options = { env: process.env, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(program, [...first, ...args], options, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`kubectl ${args.slice(0, 3).join(" ")}: ${stderr.trim() || error.message}`));
      else resolve({ stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

export const kubectl = async (args: readonly string[], input?: string): Promise<string> =>
  (await kubectlSays(args, input)).stdout;

/** `kubernetes:apps/v1:StatefulSet` is apiVersion `apps/v1`; of the core group it is `v1`. */
export function manifestOf(type: string, inputs: Properties): Manifest & Properties {
  const [, version = "", kind = ""] = type.split(":");
  return { ...inputs, apiVersion: version.replace(/^core\//, ""), kind } as unknown as Manifest & Properties;
}

const place = ({ kind, metadata: { name, namespace } }: Manifest): string[] => [
  ...[kind.toLowerCase(), name],
  ...(namespace === undefined ? [] : ["--namespace", namespace]),
];
const idOf = ({ metadata: { name, namespace } }: Manifest): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

/** What an object cannot change, by its kind: it takes another one. */
const IMMUTABLE: Readonly<Record<string, readonly string[]>> = {
  StatefulSet: ["selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"],
};

function replacements(kind: string, olds: Properties, news: Properties): string[] {
  const text = (of: Properties, ...path: string[]): string =>
    JSON.stringify(
      path.reduce<unknown>((value, key) => (value as Properties | undefined)?.[key], of) ?? null,
    );
  const changed = (...path: string[]): boolean => text(olds, ...path) !== text(news, ...path);
  return [
    ...(changed("metadata", "name") || changed("metadata", "namespace") ? ["metadata"] : []),
    ...(IMMUTABLE[kind] ?? []).filter((key) => changed("spec", key)).map((key) => `spec.${key}`),
    ...(text(olds, "immutable") === "true" && changed("data") ? ["data"] : []),
  ];
}

async function apply(manifest: Manifest): Promise<Properties> {
  const flags = [
    "--server-side",
    "--force-conflicts",
    "--field-manager=postgres-cluster",
    "--validate=strict",
  ];
  return JSON.parse(
    await kubectl(["apply", ...flags, "--output=json", "--filename=-"], JSON.stringify(manifest)),
  ) as Properties;
}

function provider(type: string): Provider {
  return {
    check: (_resource, news) => ({ inputs: news, failures: [] }),
    diff: (_resource, olds, news) => {
      const replaceKeys = replacements(type.split(":")[2] ?? "", olds.inputs, news);
      return { changes: undefined, replaceKeys };
    },
    create: async (_resource, inputs) => {
      const manifest = manifestOf(type, inputs);
      return { id: idOf(manifest), outputs: await apply(manifest) };
    },
    read: async ({ id }, inputs) => {
      const found = await kubectl([
        "get",
        ...place(manifestOf(type, inputs)),
        "--output=json",
        "--ignore-not-found",
      ]);
      return found === "" ? undefined : { id, inputs, outputs: JSON.parse(found) as Properties };
    },
    update: (_resource, _olds, news) => apply(manifestOf(type, news)),
    delete: async (_resource, inputs) => {
      await kubectl([
        "delete",
        ...place(manifestOf(type, inputs)),
        "--ignore-not-found",
        "--cascade=foreground",
      ]);
    },
  };
}

export const providers = { kubernetes: provider };
