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
  /** Where the package comes from, where this program builds the image. */
  readonly package?: CitusPackage;
  /** One line for people. */
  readonly why: string;
  readonly problems: readonly Problem[];
}

/** As an output of the stack: `off`, or the version, as far as this program knows it. The same in every run, whatever the reason is by then. */
export const citusOutput = ({ distributed, package: from }: CitusChoice): string =>
  distributed ? (from?.version ?? "in the registry's image") : "off";

/** What a cluster's data say it is; undefined when there are none. */
export type Existing = "distributed" | "replicated" | undefined;

/** How the places where Citus may be are asked. */
export interface CitusSources {
  /** The package on this machine, the newest. */
  local(folder: string): CitusPackage | undefined;
  /** Whether the vendor's repository answers. */
  vendorAnswers(): Promise<boolean>;
}

const REPOSITORY = "https://repos.citusdata.com/community/gpgkey";

/**
 * Decides for a stack whose images are built here. What a cluster is, it stays: a repository that cannot be reached today must not
 * make a distributed database a single one, nor the other way round.
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
    const is = existing === "distributed" ? "a distributed one (Citus)" : "one without Citus";
    return replicated("its data are those of another kind of cluster", [
      {
        setting: "citus",
        value: citus,
        rule: `contradicts the data of ${cluster}, which are those of ${is}`,
        remedy:
          "Choose another name for a new cluster (setting `cluster`), or delete the data: make down clean",
      },
    ]);
  }
  if (citus === "off") return replicated("the settings say so (citus: off)");
  if (existing === "replicated")
    return replicated(`${cluster} was made without Citus; a cluster of another name may have it`);

  const folder = packages.replace(/^~/, homedir());
  const local = sources.local(folder);
  if (local) return distributed(local, `from ${local.file ?? folder}`);
  const vendor: CitusPackage = { version: citusVersion };
  // The image may be there already; if not, its build says what is missing.
  if (existing === "distributed") return distributed(vendor, "as it was made");
  if (await sources.vendorAnswers()) return distributed(vendor, "from its vendor");
  const nowhere = `Citus can be had neither from its vendor's repository (${new URL(REPOSITORY).host}) nor from a package in ${folder}`;
  if (citus === "auto") return replicated(`${nowhere}: the cluster comes up without it`);
  return replicated(nowhere, [
    {
      setting: "citus",
      value: citus,
      rule: `cannot be met: ${nowhere}`,
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
