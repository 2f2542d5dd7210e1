import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Exported, settlePending } from "../../../commands/pending";

/** Knows a container and a network named `ours`, and a container named `theirs`, which has another label. */
const DOCKER = `#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked"
case "$2 $5" in
  "inspect ours") echo '{"postgres-cluster.stack":"pg-dev","more":"x"}' ;;
  "inspect theirs") echo '{"postgres-cluster.stack":"pg-other"}' ;;
  inspect*) exit 1 ;;
esac
`;

describe("what a killed run was creating is settled before the next one (F3)", () => {
  const before = { ...process.env };
  let folder: string;
  let refreshed: string[][];
  const labels = [{ label: "postgres-cluster.stack", value: "pg-dev" }];
  const root = { urn: "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev", type: "pulumi:pulumi:Stack" };
  const creating = (type: string, name: string) => ({
    type: "creating",
    resource: { urn: `urn:pulumi:dev::p::${type}::${name}`, type, inputs: { name, labels } },
  });
  const container = (name: string) => creating("docker:index/container:Container", name);
  const settle = (operations: readonly unknown[], verb = "up", resources: readonly unknown[] = [root]) =>
    settlePending({ deployment: { resources, pending_operations: operations } } as Exported, verb, (args) => {
      refreshed.push([...args]);
      return Promise.resolve();
    });
  const removed = (): string[] => {
    const file = path.join(folder, "asked");
    const asked = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
    return asked.filter((line) => / rm /.test(line));
  };

  beforeEach(() => {
    refreshed = [];
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "pending-"));
    fs.writeFileSync(path.join(folder, "docker"), DOCKER, { mode: 0o755 });
    process.env["PATH"] = `${folder}:${before["PATH"]}`;
    jest.spyOn(console, "error").mockReturnValue();
  });
  afterEach(() => {
    process.env = { ...before };
    fs.rmSync(folder, { recursive: true });
  });

  test("without anything pending, or with changes and deletes only, which a refresh settles, nothing is done", async () => {
    await settle([]);
    await settle([
      { ...container("ours"), type: "updating" },
      { ...container("ours"), type: "deleting" },
    ]);
    expect([refreshed, removed()]).toEqual([[], []]);
  });

  test("a container and a network with our labels are removed, containers first, and the state forgets them", async () => {
    await settle([creating("docker:index/network:Network", "ours"), container("ours")]);
    expect(removed()).toEqual(["container rm --force ours", "network rm ours"]);
    expect(refreshed).toEqual([
      ["refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--target", root.urn],
    ]);
  });

  test("what has other labels, or is not there, is left alone", async () => {
    await settle([container("theirs"), container("nowhere")]);
    expect(removed()).toEqual([]);
    expect(refreshed).toHaveLength(1);
  });

  test("a volume is never removed", async () => {
    await settle([creating("docker:index/volume:Volume", "ours")]);
    expect(removed()).toEqual([]);
    expect(refreshed).toHaveLength(1);
  });

  test("a stack that has recorded nothing else is refreshed as a whole", async () => {
    await settle([container("ours")], "up", []);
    expect(refreshed).toEqual([["refresh", "--yes", "--skip-preview", "--clear-pending-creates"]]);
  });

  test("what Kubernetes may have is not left behind: taking down asks for the up that finishes it", async () => {
    const object = creating("kubernetes:apps/v1:StatefulSet", "pg-patroni");
    await expect(settle([object], "destroy")).rejects.toThrow(
      /interrupted while it created pg-patroni.*'make up' finishes it, then 'make down'/,
    );
    expect(refreshed).toEqual([]);
    await settle([object]);
    expect(refreshed).toHaveLength(1);
  });
});
