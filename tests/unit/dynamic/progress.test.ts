import { spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";

const PROJECT = path.join(__dirname, "../../..");

test("a provider whose engine was killed ends when it prints progress, and does not complain for ever (F3)", async () => {
  const program = `
    // Whatever goes wrong here, it ends.
    setTimeout(() => process.exit(9), 60_000);
    // As the SDK's server for dynamic providers does.
    process.on("uncaughtException", (error) => console.error(error.stack));
    require("./scripts/typescript.js").register();
    const { printProgress } = require("./components/dynamic/progress.ts");
    let n = 0;
    setInterval(() => printProgress(\`line \${n++}\`), 20);`;
  const child = spawn(process.execPath, ["-e", program], { cwd: PROJECT, stdio: ["ignore", "pipe", "pipe"] });
  try {
    const [first] = (await once(child.stdout, "data")) as [Buffer];
    expect(first.toString()).toMatch(/^line 0\n/);
    child.stdout.destroy();
    child.stderr.destroy();
    expect(await once(child, "exit")).toEqual([1, null]);
  } finally {
    child.kill("SIGKILL");
  }
});
