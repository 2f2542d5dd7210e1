import { execFile } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";

test("an interrupted run ends its waits within seconds; what is done is done (Ctrl-C)", async () => {
  const script = path.join(__dirname, "interrupted.js");
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 60_000 });
  const interrupted = (why: string) =>
    expect.stringMatching(
      new RegExp(
        `^interrupted after \\d+ s, while waiting until it leads\\. Last seen: ${why}\\. The next update continues from there$`,
      ),
    ) as string;
  expect(JSON.parse(stdout)).toEqual({
    before: 0,
    "in a pause": interrupted("nobody leads"),
    "in a look that hangs": interrupted("the last check did not finish"),
    "of one that begins later": interrupted("not yet"),
    "of one that is done": "done: 7",
  });
});
