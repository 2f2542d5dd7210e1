import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import {
  buildContext,
  extraCaCertificates,
  imageTag,
  MACHINE_CERTIFICATES,
} from "../components/platforms/docker/image-build";
import { describeProblem } from "../components/settings/problems";
import { type Images, imagesWith } from "../config-files/images";
import { guestPackages, GUESTS } from "../stacks/guests";
import { chooseCitus } from "../stacks/citus";
import { readSettings, type StackSettings } from "../stacks/settings";
import type { Call } from "./call";
import { CommandError, UsageError } from "./command-error";
import { PROJECT } from "./programs";
import type { Stack } from "./stack";

const FOLDER = path.join(PROJECT, "config-files");

/** An image in the registry. Its tag identifies its content. */
export interface PublishedImage {
  readonly name: string;
  readonly reference: string;
  readonly tag: string;
}

/** The images' names and tags in `registry`. */
export const publishedImages = (registry: string, sources: Images): readonly PublishedImage[] =>
  Object.entries(sources).map(([name, source]) => {
    const tag = imageTag(name, source, FOLDER).split(":")[1] ?? "";
    return { name, reference: `${registry}/${name}:${tag}`, tag };
  });

/** Builds every image under its name in `registry`, with the build cache. */
export async function buildImages(
  registry: string,
  sources: Images,
  caCertificates = MACHINE_CERTIFICATES,
): Promise<readonly PublishedImage[]> {
  const published = publishedImages(registry, sources);
  for (const { name, reference } of published) {
    const source = sources[name];
    if (!source) continue;
    const extra = source.usesExtraCaCertificates ? extraCaCertificates(caCertificates) : undefined;
    const all = { ...source.buildArgs, ...(extra && { EXTRA_CA_CERTIFICATES: extra }) };
    const context = buildContext(name, source, FOLDER);
    await docker(
      ...["build", "--tag", reference, "--file", path.join(context, source.dockerfile)],
      ...Object.entries(all).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
      context,
    );
  }
  return published;
}

/** Runs docker. Its output is progress and goes to standard error; standard output is for the tags. */
const docker = (...args: string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn("docker", args, { stdio: ["ignore", 2, 2] });
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0
        ? resolve()
        : reject(
            new CommandError(
              `docker ${args[0] ?? ""} failed (${code === null ? "killed by a signal" : `exit code ${code}`}): see its output above`,
            ),
          ),
    );
  });

function settingsOf({ name, settings: file }: Stack): StackSettings {
  if (!fs.existsSync(file))
    throw new UsageError(`${file} does not exist: set STACK to the name of a stack, such as prod`);
  const { config = {} } = (parse(fs.readFileSync(file, "utf8")) ?? {}) as {
    config?: Record<string, unknown>;
  };
  const texts = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const { settings, problems } = readSettings(
    Object.fromEntries(texts) as Record<string, string>,
    "postgres-cluster",
    name,
  );
  if (problems.length > 0) throw new CommandError(problems.map(describeProblem).join("\n"));
  return settings;
}

/** Builds the stack's images, pushes them to `images.registry` (PUSH=1), and prints the settings that select them. */
export async function images({ stack, variable }: Call): Promise<number> {
  const settings = settingsOf(stack);
  const registry = settings.images?.registry;
  if (!registry)
    throw new CommandError(
      `images.registry is not set in Pulumi.${stack.name}.yaml: it must name the registry to publish the images to, such as registry.example.com/postgres-cluster`,
    );
  // The same default as in stacks/prod.ts and stacks/settings.ts.
  const wanted = settings.citus ?? (settings.environment === "prod" ? "required" : "auto");
  const citus = await chooseCitus({ ...settings, citus: wanted }, undefined);
  if (citus.problems.length > 0) throw new CommandError(citus.problems.map(describeProblem).join("\n"));
  console.error(
    citus.distributed ? `The database image includes ${citus.why}.` : `Without Citus: ${citus.why}.`,
  );
  const built = await buildImages(
    registry,
    imagesWith({ ...settings.images, citus: citus.package, guests: guestPackages(GUESTS) }),
    settings.images.caCertificates,
  );
  if (variable("PUSH")) for (const { reference } of built) await docker("push", reference);
  else console.error("Not pushed: set PUSH=1 to push the images.");
  const tags = Object.fromEntries(built.map(({ name, tag }) => [name, tag]));
  console.log(stringify({ "postgres-cluster:images": { registry, tags } }).trimEnd());
  return 0;
}
