import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CITUS_FILE, type CitusPackage } from "../config-files/images";
import { VERSIONS } from "../config-files/versions";
import type { Problem } from "../components/settings/problems";
import { resolveSettings } from "../components/settings/resolve";
import { IMAGE_SETTINGS, SETTINGS_SCHEMA, type StackSettings } from "./settings";

/** Whether a stack is distributed, and why. */
export interface CitusChoice {
  readonly distributed: boolean;
  /** The Citus package, if this program builds the image. */
  readonly package?: CitusPackage;
  /** The reason, as one line for users. */
  readonly why: string;
  readonly problems: readonly Problem[];
}

/** The stack output: `off`, or the version if this program knows it. It must not change between runs, even if the reason does. */
export const citusOutput = ({ distributed, package: from }: CitusChoice): string =>
  distributed ? (from?.version ?? "in the registry's image") : "off";

/** The kind of an existing cluster, derived from its data; undefined if there are none. */
export type Existing = "distributed" | "replicated" | undefined;

/** Where Citus packages are looked for. */
export interface CitusSources {
  /** The newest package on this machine. */
  local(folder: string): CitusPackage | undefined;
  /** Whether the vendor's repository is reachable. */
  vendorAnswers(): Promise<boolean>;
}

const REPOSITORY = "https://repos.citusdata.com/community/gpgkey";

/**
 * Decides whether a stack is distributed, if this program builds its images. An existing cluster keeps its kind: an unreachable
 * repository must not turn a distributed database into a single one, or vice versa.
 */
export async function chooseCitus(
  settings: StackSettings,
  existing: Existing,
  sources: CitusSources = SOURCES,
): Promise<CitusChoice> {
  const { cluster } = settings;
  const citus = SETTINGS_SCHEMA.shape.citus.parse(settings.citus);
  const { packages, citusVersion } = resolveSettings(IMAGE_SETTINGS, settings.images ?? {}, "images").value;
  const replicated = (why: string, problems: readonly Problem[] = []): CitusChoice => ({
    distributed: false,
    why,
    problems,
  });
  if (existing === "distributed" ? citus === "off" : existing === "replicated" && citus === "required") {
    const is = existing === "distributed" ? "was created with Citus" : "was created without Citus";
    return replicated("its data belong to a different kind of cluster", [
      {
        setting: "citus",
        value: citus,
        rule: `does not match the existing data: ${cluster} ${is}`,
        remedy:
          "Choose another name for a new cluster (setting `cluster`), or delete the data: make down clean",
      },
    ]);
  }
  if (citus === "off") return replicated("the settings say so (citus: off)");
  if (existing === "replicated")
    return replicated(`${cluster} was created without Citus; a new cluster with another name can use it`);

  const folder = packages.replace(/^~/, homedir());
  const local = sources.local(folder);
  if (local) return distributed(local, `from ${local.file ?? folder}`);
  const vendor: CitusPackage = { version: citusVersion };
  // The image may already exist. If not, its build reports what is missing.
  if (existing === "distributed") return distributed(vendor, "as when the cluster was created");
  if (await sources.vendorAnswers()) return distributed(vendor, "from its vendor");
  const nowhere = `Citus is available neither from its vendor's repository (${new URL(REPOSITORY).host}) nor as a package in ${folder}`;
  if (citus === "auto") return replicated(`${nowhere}: the cluster is created without it`);
  return replicated(nowhere, [
    {
      setting: "citus",
      value: citus,
      rule: `is not possible: ${nowhere}`,
      remedy: `Put postgresql-${VERSIONS.postgres}-citus-<version>_<...>.deb into that folder, or set citus to auto`,
    },
  ]);
}

const distributed = (from: CitusPackage, why: string): CitusChoice => ({
  distributed: true,
  package: from,
  why: `Citus ${from.version}, ${why}`,
  problems: [],
});

const SOURCES: CitusSources = {
  local(folder) {
    if (!existsSync(folder)) return undefined;
    const found = readdirSync(folder).flatMap((name) => {
      const version = CITUS_FILE.exec(name)?.[1];
      return version === undefined ? [] : [{ version, file: join(folder, name) }];
    });
    return found.sort((a, b) => a.version.localeCompare(b.version, "en", { numeric: true })).at(-1);
  },
  async vendorAnswers() {
    try {
      return (await fetch(REPOSITORY, { method: "HEAD", signal: AbortSignal.timeout(3000) })).ok;
    } catch {
      return false;
    }
  },
};
