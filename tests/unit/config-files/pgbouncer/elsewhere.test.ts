import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { BESIDE } from "../../../support/python";

const FOLLOWER = resolve(__dirname, "../../../../config-files/pgbouncer/follower");

/** What a look at a replica finds, and whom that names as the leader; `cluster` is Python for what it answers when it is asked for the cluster. */
function lookAtReplica(cluster: string): unknown {
  const program = `
import json, sys
sys.dont_write_bytecode = True
sys.path[:0] = ${JSON.stringify([FOLLOWER, ...BESIDE])}
from patroni import Member
def get(path):
    if path == "/primary":
        return 503, {"role": "replica", "state": "running"}
    ${cluster}
member = Member("a", 8008, 0, "primary", None, lambda: None)
member.get = get
member.hurry.set()
print(json.dumps([*member.look(), member.elsewhere]))`;
  const run = spawnSync("python3", ["-"], { input: program, encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

describe("a replica that is asked who leads instead (H1)", () => {
  test("names the leader by the address of its Patroni", () => {
    const members = `[{"role": "replica", "api_url": "https://a:8008/patroni"}, {"role": "leader", "api_url": "https://b.pg:8008/patroni"}]`;
    expect(lookAtReplica(`return 200, {"members": ${members}}`)).toEqual(["no", 0, "b.pg"]);
    expect(lookAtReplica(`return 200, {"members": []}`)).toEqual(["no", 0, null]);
  });

  test.each([
    ["is not answered", "raise TimeoutError()"],
    ["breaks", "raise ConnectionResetError()"],
    ["gets no JSON", "json.loads('')"],
  ])("has said all the same that it does not lead, when that %s: the DCS may be away", (_what, cluster) => {
    expect(lookAtReplica(cluster)).toEqual(["no", 0, null]);
  });
});
