import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { isAlive, SUPERVISE, Supervised } from "../../support/supervised";

/** `watched SECONDS...`: says that it may go on for so long, and again after half of that; 0 says that it needs not be watched. */
const WATCHED = `watched() { python3 -c '
import os, sys, time
sys.path.insert(0, "${dirname(SUPERVISE)}")
import watchdog
end = watchdog.Watchdog(os.environ[watchdog.ENVIRONMENT])
for seconds in map(float, sys.argv[1:]):
    end.go_on_until(watchdog.now() + int(seconds * watchdog.SECOND)) if seconds else end.disarm()
    time.sleep(seconds / 2)
' "$@"; }`;

describe("the watchdog of process 1", () => {
  let program: Supervised;
  beforeEach(() => (program = new Supervised()));
  afterEach(() => program.end(), 20_000);

  const start = (script: string): void => {
    program.start(["--watchdog", program.path("word")], `${WATCHED}\necho $$ >> pids\n${script}`);
  };
  const kills = (): string[] => program.lines("word.kills");

  test("a program that does not say in time that it may go on is killed with all that it started, and started again unwatched", async () => {
    start(
      `test $(wc -l < pids) = 1 || exec sleep 300
       trap "" TERM; setsid sh -c 'trap "" TERM HUP; echo $$ > leftover; sleep 300' & watched 0.5; sleep 300`,
    );
    await program.until("the second start", () => program.lines("pids").length === 2);
    expect([program.lines("pids")[0]!, ...program.lines("leftover")].filter(isAlive)).toEqual([]);
    expect(program.output).toContain(
      "watchdog of sh expired, everything was killed: it was not extended in time",
    );
    expect(kills()).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}Z it was not extended in time/),
    ]);
    // Whatever the dead one said is forgotten.
    expect(readFileSync(program.path("word")).readBigInt64LE()).toBe(0n);
  });

  test("one that says so again and again, and then that it needs not be watched, is left alone", async () => {
    start(`watched 0.6 0.6 0.6 0.6 0; echo > unwatched; watched 0; sleep 1; echo > later; sleep 300`);
    await program.until("it has gone on unwatched", () => program.read("later") !== "");
    expect(program.lines("pids")).toHaveLength(1);
    expect(kills()).toEqual([]);
  });

  test("after process 1 was frozen itself, it looks before anything else and says that nothing ran", async () => {
    start(`test $(wc -l < pids) = 1 || exec sleep 300; watched 1 & sleep 300`);
    const word = (): bigint => readFileSync(program.path("word")).readBigInt64LE();
    await program.until("it is armed", () => program.read("pids") !== "" && word() !== 0n);
    process.kill(program.pid, "SIGSTOP");
    await new Promise((done) => setTimeout(done, 2500));
    expect(isAlive(program.lines("pids")[0]!)).toBe(true);
    process.kill(program.pid, "SIGCONT");
    await program.until("the second start", () => program.lines("pids").length === 2);
    expect(kills()).toEqual([expect.stringMatching(/ noticed [12]\.\d s late; until now nothing ran here/)]);
  });

  test("a stop that takes longer than the program may go on ends in a kill, and in no new start", async () => {
    start(`trap 'watched 0.5; sleep 300' TERM; echo > ready; while :; do sleep 0.02; done`);
    await program.until("ready", () => program.read("ready") !== "");
    program.signal("SIGTERM");
    await program.until("the end", () => program.exit !== undefined);
    expect(program.exit).toBe(137);
    expect(program.lines("pids")).toHaveLength(1);
    expect(kills()).toHaveLength(1);
  });
});
