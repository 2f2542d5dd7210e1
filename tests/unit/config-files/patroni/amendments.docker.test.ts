import { describeWithImage } from "../../../support/docker";
import { runInPatroniImage } from "../../../support/python";

/** A copy of the image's Patroni that a test may change, and the check that the image's build runs. */
const PREAMBLE = `
import json, os, shutil, subprocess, sys
from pathlib import Path
import patroni
COPY = Path("/tmp/changed/patroni")
shutil.copytree(Path(patroni.__file__).parent, COPY, ignore=shutil.ignore_patterns("__pycache__"))
def change(file, old, new):
    text = (COPY / file).read_text()
    assert text.count(old) == 1, f"{old} is there {text.count(old)} times"
    (COPY / file).write_text(text.replace(old, new))
def check():
    done = subprocess.run([sys.executable, "-m", "amendments"], cwd="/usr/local/bin", capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": "/tmp/changed", "PYTHONDONTWRITEBYTECODE": "1"})
    return [done.returncode, *(done.stdout + done.stderr).strip().split("\\n")]
`;

describeWithImage("what is amended in Patroni (H1)", () => {
  const checked = (changes: string): unknown[] =>
    runInPatroniImage(`${PREAMBLE}\n${changes}\nprint(json.dumps(check()))`) as unknown[];

  test("the Patroni of the image is the one that the amendments were written for", () => {
    expect(checked("")).toEqual([0, expect.stringMatching(/^Patroni [\d.]+: \d+ functions are unchanged/)]);
  });

  test("a function that an amendment takes the place of has changed: the build fails and says which, and where", () => {
    expect(
      checked(
        `change("dcs/etcd.py", "cached_time, response = self._cache.get(", "then, response = self._cache.get(")`,
      ),
    ).toEqual([
      1,
      expect.stringContaining("differs from what the amendments were written for"),
      expect.stringMatching(
        /^patroni\.dcs\.etcd:DnsCachingResolver\.resolve in \/tmp\/changed\/patroni\/dcs\/etcd\.py has digest \w{16}: amendments\.addresses was written for \w{16}$/,
      ),
    ]);
  });

  test("so it does for one whose frame is looked into, for a property, and for one that is gone", () => {
    expect(
      checked(`
change("ha.py", "status = {'released': False}", "status = {'released': None}")
change("postgresql/__init__.py", "def wal_dir(self) -> str:", "def wal_dir(self) -> str:\\n        # Another.")
change("postgresql/mpp/citus.py", "def wakeup(self)", "def wake_up(self)")`),
    ).toEqual([
      1,
      expect.stringContaining("differs from what the amendments were written for"),
      expect.stringMatching(
        /^patroni\.postgresql\.mpp\.citus:PgDistTask\.wakeup is missing .*: amendments\.citus_stop/,
      ),
      expect.stringMatching(/^patroni\.postgresql:Postgresql\.wal_dir in .*amendments\.promotions/),
      // Two rely on it.
      expect.stringMatching(/^patroni\.ha:Ha\.demote in .*amendments\.waits/),
      expect.stringMatching(/^patroni\.ha:Ha\.demote in .*amendments\.watchdog/),
    ]);
  });

  test("so it does for one that a decorator hides, whose source is then another's", () => {
    expect(
      checked(
        `change("dcs/etcd3.py", "if self._lease and leader.session != self._lease:", "if self._lease and leader.session is not self._lease:")`,
      ),
    ).toEqual([
      1,
      expect.stringContaining("differs from what the amendments were written for"),
      expect.stringMatching(/^patroni\.dcs\.etcd3:Etcd3\._update_leader in .*amendments\.watchdog/),
    ]);
  });

  test("two amendments of one function both take effect", () => {
    expect(
      runInPatroniImage(`
import json, sys
sys.path.insert(0, "/usr/local/bin")
import amendments, patroni.utils
place = "patroni.utils:parse_int"
@amendments.amends(place, amendments.digest(place))
def inner(upstream, value):
    return upstream(value) + 1
@amendments.amends(place, amendments.digest(place))
def outer(upstream, value):
    return upstream(value) * 10
found = amendments.differences()
amendments.apply()
print(json.dumps([found, patroni.utils.parse_int("3")]))`),
    ).toEqual([[], 40]);
  });
});
