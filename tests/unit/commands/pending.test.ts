import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Exported, settlePending } from "../../../commands/pending";

/** Knows a container and a network named `ours`, and a container named `theirs`, which has another label. */
const DOCKER = `#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked"
case "$2 $5" in
  "inspect ours") echo 'id-of-ours {"postgres-cluster.stack":"pg-dev","more":"x"}' ;;
  "inspect theirs") echo 'id-of-theirs {"postgres-cluster.stack":"pg-other"}' ;;
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
    settlePending(
      { deployment: { resources, pending_operations: operations } } as Exported,
      verb,
      { name: "demo" },
      (args) => {
        refreshed.push([...args]);
        return Promise.resolve();
      },
    );
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
    const refresh = ["refresh", "--yes", "--skip-preview", "--target", root.urn];
    expect(refreshed).toEqual([refresh, [...refresh, "--clear-pending-creates"]]);
  });

  test("what has other labels, or is not there, is left alone", async () => {
    await settle([container("theirs"), container("nowhere")]);
    expect(removed()).toEqual([]);
    expect(refreshed).toHaveLength(2);
  });

  test("what the state has is left alone: a create that was interrupted once may have been repeated since, and is a running member", async () => {
    const resource = { ...container("ours").resource, id: "id-of-ours" };
    await settle([container("ours")], "up", [root, resource]);
    expect(removed()).toEqual([]);
    expect(refreshed).toHaveLength(2);
  });

  test("while another run holds the stack's lock nothing is removed: the pending creates belong to that run", async () => {
    const exported = { deployment: { resources: [root], pending_operations: [container("ours")] } };
    const locked = () => Promise.reject(new Error("the stack is currently locked by 1 lock(s)"));
    await expect(settlePending(exported as Exported, "up", { name: "demo" }, locked)).rejects.toThrow(
      /locked/,
    );
    expect(removed()).toEqual([]);
  });

  test("a volume is never removed", async () => {
    await settle([creating("docker:index/volume:Volume", "ours")]);
    expect(removed()).toEqual([]);
    expect(refreshed).toHaveLength(2);
  });

  test("a stack that has recorded nothing else is refreshed as a whole", async () => {
    await settle([container("ours")], "up", []);
    expect(refreshed.at(-1)).toEqual(["refresh", "--yes", "--skip-preview", "--clear-pending-creates"]);
  });

  test("what Kubernetes may have is not left behind: taking down asks for the up that finishes it", async () => {
    const object = creating("kubernetes:apps/v1:StatefulSet", "pg-patroni");
    await expect(settle([object], "destroy")).rejects.toThrow(
      /interrupted while it created pg-patroni.*run 'make up STACK=demo', which completes it, then 'make down STACK=demo'/,
    );
    expect(refreshed).toEqual([]);
    await settle([object]);
    expect(refreshed).toHaveLength(2);
  });
});
