import { describeWithImage } from "../../../support/docker";
import { runInPatroniImage } from "../../../support/python";

/** The amended Patroni of the image with an etcd of three members, which knows no more than the leader's key. */
const PREAMBLE = `
import base64, json, logging, sys, threading, time
sys.path.insert(0, "/usr/local/bin")
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import amendments
from patroni.dcs.etcd3 import Etcd3
from patroni.postgresql.mpp import get_mpp
amendments.apply()
logging.disable(logging.CRITICAL)

holder, asked = None, []

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer({"etcdserver": "3.5.16", "etcdcluster": "3.5.0"})
    def do_POST(self):
        global holder
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/v3/cluster/member/list":
            return self.answer({"members": [{"clientURLs": [url(member)]} for member in members]})
        asked.append(self.server)
        if self.server.electing_until > time.monotonic():
            return self.answer({"code": 14, "message": "etcdserver: leader changed"}, 503)
        succeeded = base64.b64decode(body["compare"][0]["value"]).decode() == holder
        holder = None if succeeded else holder
        self.answer({"succeeded": succeeded, "header": {"revision": "7"}})
    def answer(self, what, status=200):
        text = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_):
        pass

class Member(ThreadingHTTPServer):
    daemon_threads, electing_until = True, 0
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

def url(member):
    return f"http://127.0.0.1:{member.server_address[1]}"

members = [Member() for _ in range(3)]
dcs = Etcd3({"scope": "test", "name": "me", "patronictl": True, "ttl": 20, "loop_wait": 1, "retry_timeout": 3, "hosts": [url(member)[7:] for member in members]}, get_mpp({}))

def current():
    return next(member for member in members if url(member) == dcs._client._base_uri)

def released(of):
    """What Patroni thinks of it, whose the key is, how often a member was asked, for how many seconds."""
    global holder
    holder, started = of, time.monotonic()
    asked.clear()
    return [dcs.delete_leader(True), holder, len(asked), time.monotonic() - started]
`;

describeWithImage("a leader that hands over releases its key although etcd loses a member (H1, H5)", () => {
  const printed = (script: string): unknown => runInPatroniImage(`${PREAMBLE}\n${script}`);

  test("the member that is asked has left: another one is asked", () => {
    expect(
      printed(`
current().shutdown()
current().server_close()
print(json.dumps(released("me")[:3]))`),
    ).toEqual([true, null, 1]);
  });

  test("etcd elects a leader: it is asked until it has one, and not for ever", () => {
    expect(
      printed(`
for member in members: member.electing_until = time.monotonic() + 0.5
short = released("me")
for member in members: member.electing_until = time.monotonic() + 60
long = released("me")
print(json.dumps([short[:2], long[:2], long[2] > 1, long[3] < 10]))`),
    ).toEqual([[true, null], [false, "me"], true, true]);
  });

  test("the key of another member is left alone, and it is asked for once", () => {
    expect(printed(`print(json.dumps(released("another")[:3]))`)).toEqual([false, "another", 1]);
  });
});
