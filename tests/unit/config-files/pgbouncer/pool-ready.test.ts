import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const SCRIPT = resolve(__dirname, "../../../../config-files/pgbouncer/pool-ready");

describe("a pool is ready", () => {
  let run: string;
  beforeEach(() => {
    run = mkdtempSync(join(tmpdir(), "pool-ready-"));
    mkdirSync(join(run, "told"));
    writeFileSync(join(run, "follower.alive"), "");
  });
  afterEach(() => rmSync(run, { recursive: true }));

  const age = (name: string, seconds: number): void => {
    const then = Date.now() / 1000 - seconds;
    utimesSync(join(run, name), then, then);
  };
  const asked = () => {
    const { status, stderr } = spawnSync("sh", [SCRIPT], {
      env: { ...process.env, POOL_RUN_DIRECTORY: run },
      encoding: "utf8",
    });
    return [status, stderr.trim()];
  };

  test("when an entry has asked whether it takes sessions: before, none would send it any (D5)", () => {
    expect(asked()).toEqual([1, "pool-ready: no entry has found this pool yet"]);
    writeFileSync(join(run, "told", "10.0.0.7"), "ready");
    expect(asked()).toEqual([0, ""]);
  });

  test("after a minute, if nobody asks: there may be no entry", () => {
    // Well before the minute is over: the machine may be busy.
    age("told", 30);
    expect(asked()[0]).toBe(1);
    age("told", 62);
    expect(asked()[0]).toBe(0);
  });

  test("as long as its follower gives signs of life", () => {
    writeFileSync(join(run, "told", "10.0.0.7"), "ready");
    age("follower.alive", 12);
    expect(asked()).toEqual([
      1,
      expect.stringMatching(
        /^pool-ready: no sign of life of the pool and its follower for (1[2-9]|[2-5][0-9]) s$/,
      ),
    ]);
  });
});
