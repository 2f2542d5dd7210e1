import { readFileSync } from "node:fs";
import { join } from "node:path";
import { boundMs, expectKept, inFailover, promisedMs } from "../../support/promises";

const ROOT = join(__dirname, "../../..");
const TABLE = `
| Fault | Promise | Longest gap |
|---|---|---|
| It is killed | " | 1.3 s |
| It is gone | writes go on (20 s) | 25.2 s, once 40 s |
| It is deleted | comes back | |
`;

test("the promise is the last column's, the longest of several", () => {
  expect(promisedMs(TABLE, "It is killed")).toBe(1300);
  expect(promisedMs(TABLE, "It is gone")).toBe(40_000);
  expect(() => promisedMs(TABLE, "It is deleted")).toThrow("says no longest gap");
  expect(() => promisedMs(TABLE, "It burns")).toThrow('no table of promises has the row "It burns"');
});

test("three times as long passes, for a busy machine's sake, and longer does not (H1)", () => {
  expect([130, 1300, 20_900].map(boundMs)).toEqual([3000, 3900, 62_700]);
  const row = "Switchover, by whoever";
  const bound = boundMs(promisedMs(readFileSync(join(ROOT, "docs/failover.md"), "utf8"), row));
  expect(() => expectKept(inFailover(row), bound)).not.toThrow();
  expect(() => expectKept(inFailover(row), bound + 1)).toThrow(/^Switchover, by whoever: writes waited/);
});

/** What the suites measure, by their sources: they themselves need containers. */
test.each([
  ...["cluster/failover", "cluster/rolling", "citus/failover", "citus/scale", "kubernetes/distributed"],
  ...["kubernetes/replicated", "kubernetes/nodes", "kubernetes/issuer", "kubernetes/policies"],
])("each gap that tests/%s measures is held against a promise", (suite) => {
  const source = readFileSync(join(ROOT, "tests", `${suite}.test.ts`), "utf8");
  const rows = [...source.matchAll(/\b(inFailover|onKubernetes)\(\s*"([^"]+)",?\s*\)/g)];
  expect(rows).not.toEqual([]);
  for (const [, where, row] of rows) {
    const document = where === "inFailover" ? "failover" : "kubernetes";
    const text = readFileSync(join(ROOT, "docs", `${document}.md`), "utf8");
    expect(promisedMs(text, row ?? "")).toBeGreaterThan(0);
  }
});
