import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  goDuration,
  healthCheckTest,
  healthCheckTimeout,
  livenessScript,
  shellWord,
} from "../../../components/platforms/docker/health-check";
import { DATABASE, ENTRY } from "./workloads";

// What `time.Duration.String()` gives for these.
test.each([
  [0, "0s"],
  [0.5, "500ms"],
  [1, "1s"],
  [1.5, "1.5s"],
  [59, "59s"],
  [60, "1m0s"],
  [90, "1m30s"],
  [3600, "1h0m0s"],
  [3661, "1h1m1s"],
])("%s seconds are %s in Go", (seconds, text) => {
  expect(goDuration(seconds)).toBe(text);
});

test("words reach a shell as they are", () => {
  for (const word of ["plain", "two words", "it's", "$HOME", "a\nb", '"', "*"]) {
    expect(execFileSync("/bin/sh", ["-c", `printf %s ${shellWord(word)}`], { encoding: "utf8" })).toBe(word);
  }
});

test("without a liveness check the readiness check is the health check", () => {
  expect(healthCheckTest(ENTRY.readiness)).toEqual(["CMD", "true"]);
  expect(healthCheckTimeout(ENTRY.readiness)).toBe(1);
});

test("both checks have time within the health check", () => {
  expect(healthCheckTimeout(DATABASE.readiness, DATABASE.liveness)).toBe(11);
});

describe("the check of a member with a liveness check", () => {
  const folder = mkdtempSync(join(tmpdir(), "liveness-"));
  const at = (name: string): string => join(folder, name);
  const probe = { timeoutSeconds: 5, intervalSeconds: 10, failureThreshold: 3, startPeriodSeconds: 100 };
  const script = livenessScript(
    { ...probe, command: ["test", "-e", at("ready")] },
    { ...probe, command: ["test", "-e", at("alive")] },
    at("state"),
    `touch ${at("killed")}`,
  );
  const check = (): number => spawnSync("/bin/sh", ["-c", script]).status!;
  const seconds = (ago: number): string => `${Math.floor(Date.now() / 1000) - ago}\n`;
  beforeEach(() => {
    for (const name of ["ready", "alive", "killed", "state.start", "state.failing"])
      rmSync(at(name), { force: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("is good when the member is ready", () => {
    writeFileSync(at("ready"), "");
    writeFileSync(at("state.failing"), seconds(1000));
    expect(check()).toBe(0);
    expect(existsSync(at("state.failing"))).toBe(false);
  });

  test("is bad, and nothing more, when it is alive and not ready", () => {
    writeFileSync(at("alive"), "");
    writeFileSync(at("state.start"), seconds(1000));
    writeFileSync(at("state.failing"), seconds(1000));
    expect(check()).toBe(1);
    expect(existsSync(at("killed"))).toBe(false);
    expect(existsSync(at("state.failing"))).toBe(false);
  });

  test("does not count failures in the start period", () => {
    writeFileSync(at("state.start"), seconds(50));
    expect(check()).toBe(1);
    expect(existsSync(at("state.failing"))).toBe(false);
  });

  test("lets it fail for interval times threshold", () => {
    writeFileSync(at("state.start"), seconds(1000));
    expect(check()).toBe(1);
    expect(Number(readFileSync(at("state.failing"), "utf8"))).toBeGreaterThan(0);
    writeFileSync(at("state.failing"), seconds(25));
    expect(check()).toBe(1);
    expect(existsSync(at("killed"))).toBe(false);
  });

  test("then kills, and the start period begins again", () => {
    writeFileSync(at("state.start"), seconds(1000));
    writeFileSync(at("state.failing"), seconds(31));
    expect(check()).toBe(1);
    expect(existsSync(at("killed"))).toBe(true);
    expect(existsSync(at("state.start"))).toBe(false);
  });
});
