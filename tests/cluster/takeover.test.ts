import * as fs from "node:fs";
import * as path from "node:path";
import { pulumiProgram } from "../../commands/pulumi-program";
import { TestStack } from "../support/stack";

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
    test("export, import, refresh: its preview is then empty, and so is the CLI's own second one", async () => {
      await stack.up("--refresh");
      const file = path.join(stack.folder, "exported.json");
      try {
        fs.writeFileSync(file, await stack.export(), { mode: 0o600 });
        await cli.run("stack", "import", "--file", file);
        await cli.run("refresh", "--yes", "--skip-preview");
        await cli.preview("--expect-no-changes");
        await cli.up("--skip-preview", "--expect-no-changes");
      } finally {
        fs.rmSync(file, { force: true });
        // The stack goes on in the hands of the local engine, and suites that use the CLI begin with a stack of theirs.
        await cli.run("stack", "rm", "--force", "--yes", "--preserve-config");
      }
      await stack.up("--refresh", "--expect-no-changes");
    });
  },
);
