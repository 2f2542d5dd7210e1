import { execFile, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { PROJECT } from "../../../commands/programs";
import { eventually } from "../../support/stack";

const TOOL = path.join(PROJECT, "tools/pulumi/pulumi.sh");
const run = promisify(execFile);

const appears = (file: string): Promise<void> =>
  eventually(`${file} is there`, 30_000, () =>
    fs.existsSync(file) ? Promise.resolve() : Promise.reject(new Error("it is not")),
  );

/** A machine with nothing but what a test puts on its PATH, and a cache of its own. */
class Machine {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-tool-"));
  private readonly bin = path.join(this.folder, "bin");
  private readonly cache = path.join(this.folder, "cache/postgres-cluster/pulumi");

  constructor() {
    fs.mkdirSync(this.bin);
    const tools =
      "awk bash basename cat chmod cp cut date df dirname find flock grep gzip head id mkdir mkfifo mktemp mv rm sed sha256sum sleep tail tar tee touch tr uname";
    for (const tool of tools.split(" ")) {
      const found = (process.env["PATH"] ?? "")
        .split(path.delimiter)
        .map((folder) => path.join(folder, tool))
        .find((file) => fs.existsSync(file));
      if (found === undefined) throw new Error(`this machine has no ${tool}`);
      fs.symlinkSync(found, path.join(this.bin, tool));
    }
  }

  /** A program that is nothing but this script. */
  has(program: string, script: string): void {
    fs.writeFileSync(path.join(this.bin, program), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  }

  /** A Go that builds a program which says where it comes from; `before` runs first. */
  hasGo(before = ""): void {
    this.has(
      "go",
      `case $1 in
        env) case $2 in GOVERSION) echo go1.26.6;; GOPROXY) echo off;; *) echo "$HOME/go";; esac;;
        build)
          ${before}
          while [ $# -gt 0 ]; do if [ "$1" = -o ]; then result=$2; fi; shift; done
          printf '#!/bin/sh\\necho built\\n' >"$result"; chmod +x "$result";;
      esac`,
    );
  }

  /** The vendor's downloads can be reached, and are these files. */
  hasReleases(files: Readonly<Record<string, Buffer | string>>): void {
    const served = path.join(this.folder, "served");
    fs.mkdirSync(served);
    for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(served, name), content);
    this.has(
      "curl",
      `while [ $# -gt 0 ]; do case $1 in --output) to=$2; shift;; http*) from=$1;; esac; shift; done
       cp "${served}/\${from##*/}" "$to" 2>/dev/null || exit 22`,
    );
  }

  readonly env = (): NodeJS.ProcessEnv => ({
    PATH: this.bin,
    HOME: this.folder,
    XDG_CACHE_HOME: path.join(this.folder, "cache"),
  });

  async tool(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    try {
      const { stdout, stderr } = await run(TOOL, args, { env: this.env() });
      return { code: 0, out: stdout.trim(), err: stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, out: stdout.trim(), err: stderr };
    }
  }

  async says(): Promise<string> {
    const { out } = await this.tool("folder");
    return (await run(path.join(out, "pulumi"))).stdout.trim();
  }

  /** What lies in the cache but for finished programs and the lock. */
  leftovers(): string[] {
    return fs.readdirSync(this.cache).filter((name) => !/^(cli|kubernetes)-|^lock$/.test(name));
  }
}

const version = /pulumi\/pkg\/v3 (v[\d.]+)/.exec(
  fs.readFileSync(path.join(PROJECT, "tools/pulumi/go.mod"), "utf8"),
)![1]!;
const archive = `pulumi-${version}-linux-${os.arch() === "arm64" ? "arm64" : "x64"}.tar.gz`;
const sums = `pulumi-${version.slice(1)}-checksums.txt`;

/** A release as the vendor packs it: a folder with the CLI and the language hosts. */
async function release(): Promise<Buffer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pulumi-release-"));
  fs.mkdirSync(path.join(folder, "pulumi"));
  for (const name of ["pulumi", "pulumi-language-nodejs"])
    fs.writeFileSync(path.join(folder, "pulumi", name), "#!/bin/sh\necho released\n", { mode: 0o755 });
  await run("tar", ["-czf", path.join(folder, archive), "-C", folder, "pulumi"]);
  return fs.readFileSync(path.join(folder, archive));
}
const sumOf = (content: Buffer | string): string => createHash("sha256").update(content).digest("hex");

describe("the Pulumi CLI for a machine that has none (C1)", () => {
  let machine: Machine;
  beforeEach(() => {
    machine = new Machine();
  });
  afterEach(() => fs.rmSync(machine.folder, { recursive: true }));

  test("is the vendor's release where it can be reached, compared with its checksum", async () => {
    const content = await release();
    machine.hasReleases({ [archive]: content, [sums]: `${sumOf(content)}  ${archive}\n` });
    expect(await machine.tool("folder")).toMatchObject({ code: 1, out: "" });
    expect(await machine.tool("install")).toMatchObject({ code: 0 });
    expect(await machine.says()).toBe("released");
    expect(machine.leftovers()).toEqual([]);
  });

  test("is refused when it is not what its checksum says, with the way out", async () => {
    const content = await release();
    machine.hasReleases({ [archive]: content, [sums]: `${sumOf("another")}  ${archive}\n` });
    const { code, err } = await machine.tool("install");
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(
        /is not what its checksum says: run it again, or PULUMI_FROM=modules builds it/,
      ),
    });
    expect(await machine.tool("folder")).toMatchObject({ code: 1 });
  });

  test("is built where the vendor is out of reach, once", async () => {
    machine.has("curl", "exit 7");
    machine.hasGo('echo build >>"$HOME/builds"');
    await machine.tool("install");
    expect(await machine.says()).toBe("built");
    await machine.tool("install");
    expect(fs.readFileSync(path.join(machine.folder, "builds"), "utf8")).toBe("build\n");
  });

  test("is built anew after a build that was killed", async () => {
    machine.has("curl", "exit 7");
    machine.hasGo('echo half >"$HOME/started"; mkfifo "$HOME/gate"; read -r _ <"$HOME/gate"');
    const child = spawn(TOOL, ["install"], { env: machine.env(), detached: true, stdio: "ignore" });
    const started = path.join(machine.folder, "gate");
    await appears(started);
    process.kill(-child.pid!, "SIGKILL");
    await new Promise((resolve) => child.on("close", resolve));
    expect(await machine.tool("folder")).toMatchObject({ code: 1 });
    machine.hasGo();
    expect(await machine.tool("install")).toMatchObject({ code: 0 });
    expect(await machine.says()).toBe("built");
    expect(machine.leftovers()).toEqual([]);
  });

  test("is not built twice by two runs at once: the second one waits and says so", async () => {
    machine.has("curl", "exit 7");
    machine.hasGo('echo build >>"$HOME/builds"; until [ -e "$HOME/go-on" ]; do sleep 0.05; done');
    const first = machine.tool("install");
    const builds = path.join(machine.folder, "builds");
    await appears(builds);
    const second = spawn(TOOL, ["install"], { env: machine.env(), stdio: ["ignore", "ignore", "pipe"] });
    await new Promise<void>((resolve) =>
      second.stderr.on("data", (text: Buffer) => {
        if (text.includes("Another run gets the Pulumi CLI")) resolve();
      }),
    );
    fs.writeFileSync(path.join(machine.folder, "go-on"), "");
    const code = await new Promise((resolve) => second.on("close", resolve));
    expect([(await first).code, code]).toEqual([0, 0]);
    expect(fs.readFileSync(builds, "utf8")).toBe("build\n");
  });

  test("is not begun without room for the build: says how much there is, and the ways out", async () => {
    machine.has("curl", "exit 7");
    machine.hasGo();
    fs.rmSync(path.join(machine.folder, "bin/df"));
    machine.has("df", "printf 'Filesystem 1M Used Free\\n/dev/x 9000 8000 1000\\n'");
    const { code, err } = await machine.tool("install");
    expect(code).toBe(1);
    expect(err).toMatch(
      /has 1000 MiB left, and the build may need 5000: make room, set GOCACHE and GOMODCACHE/,
    );
  });

  test("without Go, and without what gets Go, it says what to install", async () => {
    machine.has("curl", "exit 7");
    machine.has("go", "echo go1.19.8");
    const { code, err } = await machine.tool("install");
    expect(code).toBe(1);
    expect(err).toMatch(/Go 1\.21 or newer.*pip.*install one of them, or the CLI itself/);
  });

  test("says what it needs of Debian's packages, and that nothing is missing where a pulumi is on PATH", async () => {
    machine.has("apt-get", "exit 1");
    expect((await machine.tool("debian-packages")).out).toBe("curl ca-certificates python3-pip");
    machine.hasGo();
    machine.has("curl", "exit 7");
    expect((await machine.tool("debian-packages")).out).toBe("");
    expect((await machine.tool("complete", "kubernetes")).code).toBe(1);
    machine.has("pulumi", "");
    expect((await machine.tool("complete", "kubernetes")).code).toBe(0);
  });

  test("a build that fails shows the compiler's words", async () => {
    machine.has("curl", "exit 7");
    machine.hasGo("echo 'pkg/x.go:1:2: undefined: y' >&2; exit 1");
    const { code, err } = await machine.tool("install");
    expect(code).toBe(1);
    expect(err).toMatch(/undefined: y[\s\S]*the build failed: see above/);
  });

  test("can be asked for from one source only: PULUMI_FROM=release does not build", async () => {
    machine.has("curl", "exit 7");
    machine.hasGo();
    const { stderr } = await run(TOOL, ["install"], {
      env: { ...machine.env(), PULUMI_FROM: "release" },
    }).catch((error: unknown) => error as { stderr: string });
    expect(stderr).toMatch(/cannot be had: https:.* is out of reach/);
  });
});
