/**
 * Python for a container of the image: the amended Patroni, `dcs`, with an etcd of three `members`. What a member says is the test's:
 * `reply(member, path, body)` returns the text of an answer, or what is written as JSON, and its status.
 */
export const WITH_FAKE_ETCD = `
import base64, json, logging, sys, threading, time
sys.path.insert(0, "/usr/local/bin")
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
import amendments
from patroni.dcs.etcd3 import Etcd3
from patroni.exceptions import DCSError
from patroni.postgresql.mpp import get_mpp
amendments.apply()
logging.disable(logging.CRITICAL)

asked = []

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.answer({"etcdserver": "3.5.16", "etcdcluster": "3.5.0"})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/v3/cluster/member/list":
            return self.answer({"members": [{"clientURLs": [url(member)]} for member in members]})
        asked.append(self.server)
        self.answer(*reply(self.server, self.path, body))
    def answer(self, what, status=200):
        text = (what if isinstance(what, str) else json.dumps(what)).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def log_message(self, *_):
        pass

class Member(ThreadingHTTPServer):
    daemon_threads = True
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

def url(member):
    return f"http://127.0.0.1:{member.server_address[1]}"

members = [Member() for _ in range(3)]
dcs = Etcd3({"scope": "test", "name": "me", "patronictl": True, "ttl": 20, "loop_wait": 1, "retry_timeout": 3, "hosts": [url(member)[7:] for member in members]}, get_mpp({}))

def current():
    return next(member for member in members if url(member) == dcs._client._base_uri)
`;
