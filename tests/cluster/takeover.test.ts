import * as fs from "node:fs";
import * as path from "node:path";
import { docker, TestStack } from "../support/stack";

const stack = new TestStack();

describe("a state as the local engine of former versions wrote it", () => {
  const started = async (): Promise<string> =>
    docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", ...(await stack.containers()));

  test("is taken over by the first command: a preview is empty, and so is an update; no member is another one", async () => {
    await stack.up("--refresh");
    const before = await started();
    const former = path.join(stack.folder, "local-engine/test.json");
    fs.mkdirSync(path.dirname(former), { recursive: true });
    // Secrets are encrypted with the stack's passphrase in it, as they are in an export.
    fs.writeFileSync(former, await stack.export(), { mode: 0o600 });
    await stack.run("stack", "rm", "--force", "--yes", "--preserve-config");
    await stack.preview("--expect-no-changes");
    await stack.up("--skip-preview", "--expect-no-changes");
    expect(await started()).toBe(before);
    expect(fs.readdirSync(path.dirname(former))).toEqual(["test.json.taken-over"]);
    fs.rmSync(path.dirname(former), { recursive: true });
  });
});
