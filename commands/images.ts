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

/** Where an image is published: the registry's name and, in its tag, what is in it. */
export interface PublishedImage {
  readonly name: string;
  readonly reference: string;
  readonly tag: string;
}

/** What the images are called in `registry`. */
export const publishedImages = (registry: string, sources: Images): readonly PublishedImage[] =>
  Object.entries(sources).map(([name, source]) => {
    const tag = imageTag(name, source, FOLDER).split(":")[1] ?? "";
    return { name, reference: `${registry}/${name}:${tag}`, tag };
  });

/** Builds every image under the name that it has in `registry`; the layers of earlier builds are used again. */
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

/** Runs docker; what it says is this command's own progress, on standard error, since the tags are what it is for. */
const docker = (...args: string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn("docker", args, { stdio: ["ignore", 2, 2] });
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0
        ? resolve()
        : reject(new CommandError(`docker ${args[0] ?? ""} ended with ${code ?? "a signal"}`)),
    );
  });

function settingsOf({ name, settings: file }: Stack): StackSettings {
  if (!fs.existsSync(file)) throw new UsageError(`there is no ${file}: STACK names the stack, such as prod`);
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

/** Builds the stack's images, publishes them where its settings say (PUSH=1), and prints the settings that name them. */
export async function images({ stack, variable }: Call): Promise<number> {
  const settings = settingsOf(stack);
  const registry = settings.images?.registry;
  if (!registry)
    throw new CommandError(
      `images.registry in Pulumi.${stack.name}.yaml must say where the images are published`,
    );
  // As the stack itself has it where nothing is said (stacks/prod.ts, stacks/dev.ts).
  const wanted = settings.citus ?? (settings.environment === "prod" ? "required" : "auto");
  const citus = await chooseCitus({ ...settings, citus: wanted }, undefined);
  if (citus.problems.length > 0) throw new CommandError(citus.problems.map(describeProblem).join("\n"));
  console.error(
    citus.distributed ? `The database's image has ${citus.why}.` : `Without Citus: ${citus.why}.`,
  );
  const built = await buildImages(
    registry,
    imagesWith({ ...settings.images, citus: citus.package, guests: guestPackages(GUESTS) }),
    settings.images.caCertificates,
  );
  if (variable("PUSH")) for (const { reference } of built) await docker("push", reference);
  else console.error("Not published: PUSH=1 does that.");
  const tags = Object.fromEntries(built.map(({ name, tag }) => [name, tag]));
  console.log(stringify({ "postgres-cluster:images": { registry, tags } }).trimEnd());
  return 0;
}
