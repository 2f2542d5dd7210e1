import { describeWithImage } from "../../../support/docker";
import { runInPatroniImage } from "../../../support/python";

/** The amended Patroni of the image with a postmaster that reads its files so many seconds after it was told to, on a clock of its own. */
const PREAMBLE = `
import json, sys
sys.path.insert(0, "/usr/local/bin")
from types import SimpleNamespace
from unittest import mock
import amendments
from patroni.postgresql import Postgresql
from patroni.postgresql.config import ConfigHandler
amendments.apply()

now = 0.0
def sleep(seconds):
    global now
    now = round(now + seconds, 1)

class Server:
    """Its session reads the files with the first query after the postmaster did."""
    def __init__(self, late):
        self.late, self.told, self.state, self.cycles = late, None, "running", []
        self.bootstrap = SimpleNamespace(running_custom_bootstrap=False)
        self.major_version, self.database, self.waiting = 170000, "app", None
    def pg_ctl(self, command):
        self.told = now
        return True
    def call_nowait(self, _):
        pass
    def has_read(self):
        return self.told is not None and now >= self.told + (self.late or 0)
    def _query(self, sql, *_):
        if "pg_conf_load_time" in sql:
            if self.late is None:
                raise Exception("no answer")
            return [("after" if self.has_read() else "before",)]
        return [("max_connections", "100", None, "integer")] if self.has_read() else []
    def get_guc_value(self, _):
        return "200"
    def set_pending_restart_reason(self, reason):
        self.waiting = {name: value["new_value"] for name, value in reason.items()}
    def retry(self, function, *arguments):
        return function(*arguments)
    reload, query = Postgresql.reload, Postgresql.query

def changed(late):
    global now
    now = 0.0
    server = Server(late)
    handler = mock.Mock(_postgresql=server, _server_parameters={}, _config={}, _RECOVERY_PARAMETERS=(), _pg_hba_conf="", _pg_ident_conf="")
    handler.get_server_parameters.return_value = {"max_connections": "200"}
    handler._get_pg_settings.return_value = {"max_connections": ("max_connections", "100", None, "integer", "postmaster")}
    with mock.patch("time.sleep", sleep), mock.patch("time.monotonic", lambda: now):
        ConfigHandler.reload_config(handler, {"authentication": {}})
    return [server.waiting, now]
`;

describeWithImage("what waits for a restart is asked for when PostgreSQL has read its files (D5)", () => {
  const printed = (script: string): unknown => runInPatroniImage(`${PREAMBLE}\n${script}`);
  const found = { max_connections: "200" };

  test("a postmaster that reads them late is waited for, and one that is in time costs a tenth of a second", () => {
    expect(printed(`print(json.dumps([changed(0.05), changed(1.5), changed(3.5)]))`)).toEqual([
      [found, 1.1],
      [found, 2.5],
      [found, 4.5],
    ]);
  });

  test("one that takes too long holds the loop up for five seconds, and what was changed counts as waiting", () => {
    const [[waiting, seconds]] = printed(`print(json.dumps([changed(60)]))`) as [[unknown, number]];
    expect(waiting).toEqual(found);
    expect(seconds).toBeLessThanOrEqual(5.2);
  });

  test("where PostgreSQL cannot be asked, and where nothing is asked afterwards, nobody waits", () => {
    expect(
      printed(`
server = Server(2)
assert changed(None)[1] == 1
now = 0.0
with mock.patch("time.sleep", sleep), mock.patch("time.monotonic", lambda: now):
    server.reload()
print(json.dumps([now]))`),
    ).toEqual([0]);
  });
});
