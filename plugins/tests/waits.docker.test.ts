import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { pulumiProgram } from "../../commands/pulumi-program";
import { eventually } from "../../tests/support/stack";
import { CliStack } from "./stack";

/** Of a wait whose own deadline is ten minutes. */
const SECONDS = 60;

const describeWithCli = pulumiProgram() === undefined ? describe.skip : describe;

describeWithCli("what ends a wait, through the Pulumi CLI (C1)", () => {
  let cli: CliStack;
  beforeEach(async () => void (cli = await CliStack.of(path.join(__dirname, "waiting"))));
  afterEach(() => fs.rmSync(cli.folder, { recursive: true }));

  test("the first Ctrl-C does, and the next up goes on from there", async () => {
    const file = (cli.env["WAITS_FOR"] = path.join(cli.folder, "file"));
    const running = cli.start("up");
    await eventually("it waits", SECONDS * 1000, async () => {
      expect(cli.deployment().pending_operations).toEqual([expect.objectContaining({ type: "creating" })]);
      await Promise.resolve();
    });
    const interrupted = Date.now();
    process.kill(-running.pid!, "SIGINT");
    const [code] = (await once(running, "exit")) as [number];
    expect(code).toBeGreaterThan(0);
    expect(Date.now() - interrupted).toBeLessThan(SECONDS * 1000);
    expect(cli.deployment().pending_operations ?? []).toEqual([]);
    expect(cli.resource("file")).toBeUndefined();

    fs.writeFileSync(file, "");
    expect((await cli.outcome("up")).changes).toEqual({ create: 1, same: 1 });
  });

  test("a mistake of the program does, which it names", async () => {
    cli.env["WAITS_FOR"] = "a mistake";
    const began = Date.now();
    const { said } = await cli.outcome("up", "fails");
    expect(Date.now() - began).toBeLessThan(SECONDS * 1000);
    expect(said).toMatch(
      /TypeError: Cannot read properties of undefined \(reading 'bind'\) \(.+\)\. This is a bug/,
    );
  });
});
