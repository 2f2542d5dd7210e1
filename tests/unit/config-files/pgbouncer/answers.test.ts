import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { BESIDE } from "../../../support/python";

const FOLLOWER = resolve(__dirname, "../../../../config-files/pgbouncer/follower");

function python(program: string): { status: number | null; stdout: string; stderr: string } {
  const input = `import json, sys\nsys.dont_write_bytecode = True\nsys.path[:0] = ${JSON.stringify([FOLLOWER, ...BESIDE])}\n${program}`;
  return spawnSync("python3", ["-"], { input, encoding: "utf8", timeout: 20_000 });
}

/** What a look at a member finds whose Patroni answers with these bytes, and then closes the connection. */
function look(mode: "primary" | "replica", answer: string): unknown {
  const run = python(`
import patroni
class Connection:
    session = None
    def __init__(self): self.pieces = [${JSON.stringify(answer)}.encode(), b""]
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def setsockopt(self, *_): pass
    def settimeout(self, _): pass
    def sendall(self, _): pass
    def recv(self, _): return self.pieces.pop(0) if self.pieces else b""
class Context:
    def wrap_socket(self, plain, **_): return plain
patroni.resolver.connect = lambda *_: Connection()
member = patroni.Member("a", 8008, 0, ${JSON.stringify(mode)}, Context(), lambda: None)
member.hurry.set()
print(json.dumps([*member.look(), member.failure]))`);
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

const OK = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n";

describe("whatever a member's Patroni answers, the follower goes on to look (H1)", () => {
  test("an answer is taken", () => {
    const leads = '{"role": "primary", "state": "running", "timeline": 7}';
    expect(look("primary", OK + leads)).toEqual(["primary", 7, "has not answered yet"]);
    expect(look("replica", `${OK}{"role": "replica", "timeline": 3}`)).toEqual([
      "replica",
      3,
      "has not answered yet",
    ]);
    expect(look("primary", OK + leads.replace("7", "null"))).toEqual(["primary", 0, "has not answered yet"]);
  });

  test.each([
    ["nothing", ""],
    ["the begin of a head", "HTTP/1.0 200"],
    ["a head alone", "HTTP/1.0 200 OK\r\nServer: x\r\n"],
    ["no body", OK],
    ["half a body", `${OK}{"role": "prim`],
    ["no object", `${OK}["primary"]`],
    ["no status", 'HTTP/1.0\r\n\r\n{"role": "primary", "state": "running"}'],
    ["another protocol", "\u0016\u0003\u0001\r\n\r\n{}"],
  ])("%s is no answer", (_what, bytes) => {
    for (const mode of ["primary", "replica"] as const)
      expect(look(mode, bytes)).toEqual(["silent", 0, expect.stringMatching(/./)]);
  });

  test("a mistake in any thread ends the program, which is started again, and says where it was", () => {
    const { status, stderr } = python(`
import mistakes, threading, time
mistakes.watch()
threading.Thread(target=lambda: [][1], name="patroni a").start()
time.sleep(15)`);
    expect(status).toBe(1);
    expect(stderr).toMatch(/unexpected error in patroni a, restarting[^]*IndexError/);
  });
});
