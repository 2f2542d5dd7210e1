import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { onPath, PROJECT } from "../../../commands/programs";
import { prodManifests } from "../../kubernetes/prod-manifests";

/** Which check found something, and in which object (`StatefulSet pg-etcd`). */
interface Finding {
  readonly check: string;
  readonly object: string;
}

interface Explained {
  readonly checks: readonly string[];
  readonly objects: string;
  readonly why: string;
}

const EXPLAINED = parse(fs.readFileSync(path.join(__dirname, "findings.yaml"), "utf8")) as Explained[];

/** What a program prints; one that has found something ends with another exit code than 0. */
async function printed(program: string, args: readonly string[], cwd: string): Promise<string> {
  const run = promisify(execFile)(program, args, { cwd, maxBuffer: 256 * 1024 * 1024 });
  const { stdout } = await run.catch((error: unknown) => {
    if ((error as { stdout?: string }).stdout) return error as { stdout: string };
    throw error;
  });
  return stdout;
}

async function kubeScore(file: string): Promise<Finding[]> {
  const tool = ["tool", "kube-score", "score", "--output-format", "json", "--kubernetes-version", "v1.34"];
  const found = JSON.parse(
    await printed("go", [...tool, file], path.join(PROJECT, "tools/kubernetes-lint")),
  ) as {
    readonly type_meta: { readonly kind: string };
    readonly object_meta: { readonly name: string };
    readonly checks: readonly { check: { id: string }; grade: number; skipped: boolean }[];
  }[];
  return found.flatMap(({ type_meta: { kind }, object_meta: { name }, checks }) =>
    checks
      // 10 is "all OK" (https://github.com/zegl/kube-score/blob/master/scorecard/scorecard.go).
      .filter(({ grade, skipped }) => grade < 10 && !skipped)
      .map(({ check }) => ({ check: `kube-score/${check.id}`, object: `${kind} ${name}` })),
  );
}

async function checkov(file: string): Promise<Finding[]> {
  const text = await printed(
    "checkov",
    ["--file", file, "--framework", "kubernetes", "--output", "json", "--compact", "--quiet"],
    path.dirname(file),
  );
  const { results } = JSON.parse(text) as {
    readonly results: { readonly failed_checks: readonly { check_id: string; resource: string }[] };
  };
  return results.failed_checks.map(({ check_id, resource }) => {
    const [kind, , name] = resource.split(".");
    return { check: `checkov/${check_id}`, object: `${kind} ${name}` };
  });
}

const isExplained = ({ check, object }: Finding): boolean =>
  EXPLAINED.some(({ checks, objects }) => checks.includes(check) && new RegExp(`^${objects}$`).test(object));

/** Older ones know neither `go tool` of a module nor the version that its go.mod asks for. */
function hasGo(): boolean {
  if (!onPath("go")) return false;
  const [, minor] = /^go1\.(\d+)/.exec(execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" })) ?? [];
  return Number(minor) >= 24;
}

describe.each([
  ["kube-score", hasGo, kubeScore, "Go 1.24 or newer, which builds it (tools/kubernetes-lint)"],
  ["checkov", () => onPath("checkov"), checkov, "it on PATH (pip install checkov)"],
] as const)("%s", (linter, has, lint, needs) => {
  const there = has();
  if (!there) console.log(`skipped: ${linter} on the manifests of prod needs ${needs}`);

  (there ? test : test.skip)("finds nothing in the prod stack that is not explained", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "manifests-"));
    try {
      const found: Finding[] = [];
      for (const distributed of [false, true]) {
        const file = path.join(folder, `${distributed ? "distributed" : "replicated"}.yaml`);
        const manifests = await prodManifests(distributed);
        fs.writeFileSync(file, manifests.map((manifest) => `${JSON.stringify(manifest)}\n`).join("---\n"));
        found.push(...(await lint(file)));
      }
      expect(found.filter((finding) => !isExplained(finding))).toEqual([]);
      const checks = new Set(found.map(({ check }) => check));
      const stale = EXPLAINED.flatMap(({ checks: all }) => all).filter(
        (check) => check.startsWith(`${linter}/`) && !checks.has(check),
      );
      expect(stale).toEqual([]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
