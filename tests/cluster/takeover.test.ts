import * as fs from "node:fs";
import * as path from "node:path";
import { pulumiProgram } from "../../commands/pulumi-program";
import { docker, TestStack } from "../support/stack";

const stack = new TestStack();
/** The same stack in the hands of the other engine. */
const cli = new TestStack({ engine: "pulumi" });

const withCli = pulumiProgram() !== undefined && stack.engine.name === "local-engine";
if (!withCli)
  console.log(
    "skipped: the takeover by the Pulumi CLI needs it (tools/pulumi/pulumi.sh install) beside the local engine",
  );

(withCli ? describe : describe.skip)(
  "a stack that the local engine brought up, taken over by the Pulumi CLI",
  () => {
    const started = async (): Promise<string> =>
      docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", ...(await stack.containers()));

    test("by its first command: its preview is empty, and so is its update; no member is another one", async () => {
      await stack.up("--refresh");
      const before = await started();
      const state = path.join(stack.folder, "local-engine/test.json");
      try {
        await cli.preview("--expect-no-changes");
        await cli.up("--skip-preview", "--expect-no-changes");
        expect(await started()).toBe(before);
      } finally {
        // The stack goes on in the hands of the local engine, and suites that use the CLI begin with a stack of theirs.
        await cli.run("stack", "rm", "--force", "--yes", "--preserve-config");
        fs.renameSync(`${state}.taken-over`, state);
      }
      await stack.up("--refresh", "--expect-no-changes");
    });
  },
);
