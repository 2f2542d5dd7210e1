import { execFile, execFileSync, spawnSync } from "node:child_process";
import { promisify } from "node:util";

/** Runs docker and gives its output; fails with what it said. */
export const docker = (...args: string[]): string =>
  execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

/** The same while the test goes on. */
export const dockerMeanwhile = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)("docker", args)).stdout.trim();

/** All that a container's programs have said: most write to their error output, which the client keeps apart. */
export function logOf(container: string, ...options: string[]): string {
  const { status, stdout, stderr } = spawnSync("docker", ["logs", ...options, container], {
    ...{ encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
  });
  if (status !== 0) throw new Error(`docker logs ${container}: ${stderr}`);
  return stdout + stderr;
}

/**
 * Runs a command as root in a container, with the PATH that root has on Debian: that of an image is for its program, and lacks what
 * installs packages.
 */
export const dockerAsRoot = (container: string, ...command: string[]): string => {
  const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return docker("exec", "--user", "0", "--env", `PATH=${folders.join(":")}`, container, ...command);
};

/** What `make` resolves with; when it fails half-way, `remove` takes away what is there by then. */
export async function orRemove<T>(remove: () => unknown, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    try {
      await remove();
    } catch {
      // There was nothing yet. What went wrong is the other error.
    }
    throw error;
  }
}

/** All of them; when one fails, the others are taken away. */
export async function allOrNone<T extends { remove(): unknown }>(
  starts: readonly Promise<T>[],
): Promise<T[]> {
  const ended = await Promise.allSettled(starts);
  const failed = ended.find((each) => each.status === "rejected");
  const started = ended.filter((each) => each.status === "fulfilled").map(({ value }) => value);
  if (failed === undefined) return started;
  for (const each of started) await each.remove();
  throw failed.reason;
}

/** An image of ours that is on this machine; they all have a shell and socat. Undefined where Docker does not answer. */
export function imageOfOurs(): string | undefined {
  const listed = spawnSync("docker", ["images", "--quiet", "--filter", "label=postgres-cluster.image"], {
    encoding: "utf8",
  });
  return listed.status === 0 ? listed.stdout.split("\n").find((line) => line !== "") : undefined;
}

/** `describe`, or a skipped one that says why, where there is no Docker with one of our images. */
export function describeWithImage(name: string, tests: (image: string) => void): void {
  const image = imageOfOurs();
  if (image !== undefined) {
    describe(name, () => tests(image));
    return;
  }
  console.log(`skipped: "${name}" needs Docker and one of our images (make up builds them)`);
  describe.skip(name, () => test("needs Docker", () => undefined));
}
