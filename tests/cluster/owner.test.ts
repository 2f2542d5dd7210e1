import * as fs from "node:fs";
import { docker, TestStack } from "../support/stack";
import { query, Writer } from "../support/writer";

const stack = new TestStack();
/** The same cluster's name, and another state. */
const second = new TestStack({ name: "second", folder: "tests-second" });
/** The same program, stack and all, whose state is lost. */
const lost = new TestStack({ folder: "tests-lost" });

/** The files by which members prove who they are, and know each other. */
const secrets = async (): Promise<string> =>
  (
    await Promise.all(
      ["etcd", "patroni", "pool-write", "haproxy"].map((workload) =>
        docker("exec", stack.member(workload, 0), "sh", "-c", "cat /secrets/*/* | sha256sum"),
      ),
    )
  ).join("\n");

describe.each([
  ["a second stack with the same cluster name", second],
  ["a state that was lost", lost],
])("%s (one owner)", (_what, other) => {
  beforeAll(async () => {
    other.configure();
    // Another suite may have moved the leader, which is a change of what the replication check saw.
    await stack.up("--refresh");
  });
  afterAll(() => {
    fs.rmSync(other.folder, { recursive: true, force: true });
  });

  test("is refused by preview and by up, which say whose the cluster is; its clients and its secrets notice nothing", async () => {
    const before = await secrets();
    const writer = new Writer(await stack.target("app_readwrite"), `owner-${other.name}-${Date.now()}`);
    await writer.start();
    const refusal = /the cluster pg-test belongs to the stack test of the project postgres-cluster, since 20/;
    await expect(other.preview()).rejects.toThrow(refusal);
    await expect(other.up()).rejects.toThrow(refusal);
    expect(await writer.finish()).toMatchObject({ errors: [], lost: [] });
    expect(await secrets()).toBe(before);
    expect(await query(await stack.target("app_readwrite"), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    // Its own state still finds nothing to do.
    await stack.up("--expect-no-changes");
  });
});
