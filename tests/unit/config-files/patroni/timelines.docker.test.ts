import { describeWithImage } from "../../../support/docker";
import { runInPatroniImage } from "../../../support/python";

/** Servers in one container, with a DCS that is a dictionary. `claim` is what the amended Patroni calls before a promotion. */
const PREAMBLE = `
import base64, glob, json, logging, os, subprocess, sys, time
from pathlib import Path
sys.path.insert(0, "/usr/local/bin")
import timelines
from patroni.postgresql.misc import parse_history
logging.disable()
os.environ["PATH"] += ":" + glob.glob("/usr/lib/postgresql/*/bin")[0]
HOME = Path("/tmp/servers")
HOME.mkdir()

def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()

class Dcs:
    def __init__(self):
        self._client, self.value, self.revision = self, None, 0
    def client_path(self, key):
        return key
    def range(self, key, serializable):
        return {"kvs": [{"value": base64.b64encode(self.value.encode()).decode(), "mod_revision": str(self.revision)}]} if self.value else {}
    def put(self, key, value, mod_revision=None, create_revision=None):
        if (mod_revision or create_revision) != str(self.revision):
            return {}
        self.value, self.revision = value, self.revision + 1
        return {"header": {}}

class Server:
    def __init__(self, name, source=None):
        self.name, self.data, self.port = name, HOME / name, 5500 + len(list(HOME.glob("*/PG_VERSION")))
        self.wal_dir = self.data / "pg_wal"
        if source is None:
            run("initdb", "--no-sync", "--data-checksums", "--pgdata", str(self.data))
        else:
            run("pg_basebackup", "--host", "/tmp", "--port", str(source.port), "--checkpoint=fast", "--no-sync", "--pgdata", str(self.data))
            self.follow(source)
    def follow(self, source):
        (self.data / "standby.signal").touch()
        (self.data / "postgresql.auto.conf").write_text(f"primary_conninfo = 'host=/tmp port={source.port}'\\n")
    def start(self):
        timelines.forget_unused(self)
        options = f"-p {self.port} -k /tmp -c listen_addresses= -c wal_retrieve_retry_interval=100ms -c wal_keep_size=256MB -c fsync=off"
        run("pg_ctl", "start", "--pgdata", str(self.data), "--log", f"{self.data}.log", "--options", options)
    def stop(self):
        run("pg_ctl", "stop", "--mode=fast", "--pgdata", str(self.data))
    def promote(self):
        run("pg_ctl", "promote", "--pgdata", str(self.data))
    def sql(self, statement):
        return run("psql", "--host", "/tmp", "--port", str(self.port), "--dbname", "postgres", "--no-align", "--tuples-only", "--command", statement)
    def query(self, statement):
        return [tuple(self.sql(statement).split("|"))]
    def pg_control_timeline(self):
        control = run("pg_controldata", str(self.data))
        return int(next(line.split(":")[1] for line in control.splitlines() if line.startswith("Latest checkpoint's TimeLineID")))
    def received_timeline(self):
        return int(self.sql("SELECT COALESCE((SELECT received_tli FROM pg_stat_wal_receiver), 0)"))
    def timeline(self):
        return int(self.sql("SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int"))
    def says(self, text):
        deadline = time.monotonic() + 60
        while text not in Path(f"{self.data}.log").read_text():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not say {text}:\\n{Path(f'{self.data}.log').read_text()[-3000:]}")
            time.sleep(0.05)
    def becomes(self, statement, expected):
        deadline = time.monotonic() + 60
        while (seen := self.sql(statement)) != expected:
            if time.monotonic() > deadline:
                log = Path(f"{self.data}.log").read_text()
                raise RuntimeError(f"{self.name}: {statement} is {seen}, not {expected}:\\n{log[-3000:]}")
            time.sleep(0.05)

def group(*replicas):
    first = Server("first")
    first.start()
    first.sql("CREATE TABLE t (who text)")
    others = [Server(name, first) for name in replicas]
    for other in others:
        other.start()
    for other in others:
        other.becomes("SELECT to_regclass('t')", "t")
    first.stop()
    return others

dcs = Dcs()
seen = []
`;

describeWithImage("the timelines of promotions (D8)", () => {
  const seen = (script: string): unknown =>
    runInPatroniImage(`${PREAMBLE}\n${script}\nprint(json.dumps(seen))\n`);

  // A standby without a leader looks for newer timelines again and again, and goes over to one that was entered.
  test.each([
    ["that is promoted at once", ""],
    ["that has gone over to its timeline", 'leader.says("new target timeline is 2")'],
  ])(
    "one that stopped before anybody heard of its promotion joins the next leader %s by a rewind, and others follow",
    (_, meanwhile) => {
      expect(
        seen(`
lost, leader, replica = group("lost", "leader", "replica")
seen.append(timelines.claim(dcs, lost))
lost.promote()
lost.sql("INSERT INTO t VALUES ('lost')")
seen.append(lost.timeline())
lost.stop()
seen.append(timelines.claim(dcs, leader))
${meanwhile}
leader.promote()
leader.sql("INSERT INTO t VALUES ('leader')")
seen.append(leader.timeline())
history = list(parse_history((leader.wal_dir / "00000003.history").read_text()))
seen.append([line[0] for line in timelines.without_gap("leader", 3, history)])
replica.stop()
replica.follow(leader)
replica.start()
replica.becomes("SELECT string_agg(who, ',') FROM t", "leader")
run("pg_rewind", "--target-pgdata", str(lost.data), "--source-server", f"host=/tmp port={leader.port} dbname=postgres")
lost.follow(leader)
lost.start()
lost.becomes("SELECT string_agg(who, ',') FROM t", "leader")
leader.stop()
seen.append(timelines.claim(dcs, replica))
replica.promote()
seen.append(replica.timeline())`),
      ).toEqual([true, 2, true, 3, [1, 2], true, 4]);
    },
  );

  test("a leader records the timeline before its own, also where its history knows none, and once", () => {
    expect(
      seen(`
gap, none = [(1, 0x3000060, "no recovery target specified")], []
recorded = timelines.without_gap("leader", 3, gap)
seen.append([recorded[0] == gap[0], *recorded[1][:3], recorded[1][4], recorded == timelines.without_gap("leader", 3, recorded)])
seen.append([timelines.without_gap("leader", 2, gap) == gap, timelines.without_gap("leader", 1, none) == none])`),
    ).toEqual([
      [true, 2, 0x3000060, "claimed by a member of which nobody heard again", "leader", true],
      [true, true],
    ]);
  });

  test("a promotion that did not happen leaves nothing that keeps a member from following the next leader", () => {
    expect(
      seen(`
lost, leader, failed = group("lost", "leader", "failed")
timelines.claim(dcs, lost)
lost.stop()
timelines.claim(dcs, failed)
failed.stop()
timelines.claim(dcs, leader)
leader.promote()
leader.sql("INSERT INTO t VALUES ('leader')")
seen.append(leader.timeline())
failed.follow(leader)
failed.start()
failed.becomes("SELECT string_agg(who, ',') FROM t", "leader")
leader.stop()
leader.start()
failed.becomes("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'", "1")
seen.append([failed.received_timeline(), leader.timeline()])`),
    ).toEqual([4, [4, 4]]);
  });

  test("of two that claim at the same moment one has to try again", () => {
    expect(
      seen(`
a, b = group("a", "b")
between = lambda: seen.append(["b", timelines.claim(dcs, b)])
read = dcs.range
def range(key, serializable):
    answer = read(key, serializable)
    dcs.range = read
    between()
    return answer
dcs.range = range
seen.append(["a", timelines.claim(dcs, a)])
seen.append(["a", timelines.claim(dcs, a)])
seen.append(json.loads(dcs.value))`),
    ).toEqual([["b", true], ["a", false], ["a", true], { last: 3, member: "a" }]);
  });
});
