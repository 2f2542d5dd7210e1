import { execFile, execFileSync, spawnSync } from "node:child_process";
import { promisify } from "node:util";

/** Runs docker and gives its output; fails with what it said. */
export const docker = (...args: string[]): string =>
  execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

/** The same while the test goes on. */
export const dockerMeanwhile = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)("docker", args)).stdout.trim();

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
