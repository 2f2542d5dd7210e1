import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { isAlive, Supervised } from "../../support/supervised";

/** A companion as the file describes it, and what it is when nothing else is said of it. */
type Companion = Readonly<Record<string, unknown>>;
const shell = (script: string, rest: Companion = {}): Companion => ({
  name: "exporter",
  command: ["sh", "-c", script],
  oomScoreAdj: 500,
  ...rest,
});

/** Leaves its session and its parents behind, as servers do that fork twice. */
const detached = (script: string): string => `(setsid sh -c 'sh -c "$0" &' '${script}' &)`;

/** Python that has so many MiB of memory of its own. */
const TAKES = (mib: number): string =>
  `exec python3 -c "import time; taken = bytearray(${mib} << 20); time.sleep(300)"`;

describe("companions (guests)", () => {
  let program: Supervised;
  beforeEach(() => (program = new Supervised()));
  // Leftovers that are deaf to SIGTERM are killed after five seconds.
  afterEach(() => program.end(), 20_000);

  const write = (content: string): string[] => {
    writeFileSync(program.path("guests.json"), content);
    return ["--companions", program.path("guests.json")];
  };
  const described = (...companions: readonly unknown[]): string[] =>
    write(JSON.stringify({ companions, files: { other: "keys are for others" } }));
  /** The program: it writes down each start, and each signal that is not for it. */
  const start = (options: readonly string[], script = "while :; do sleep 0.02; done"): void => {
    program.start(options, `trap 'echo hup >> signals' HUP; echo $$ >> pids; ${script}`);
  };
  /** The program was never started again, and nothing was said to it. */
  const expectUntouched = (): void => {
    expect(program.lines("pids")).toHaveLength(1);
    expect(program.lines("pids").filter(isAlive)).toHaveLength(1);
    expect(program.read("signals")).toBe("");
    expect(program.read("reloads")).toBe("");
  };

  test("one is started with the program, with its environment, its niceness, and a score by which the kernel takes it first", async () => {
    const facts = `echo "$OF_ITS_OWN $PWD $SUPERVISED_PID $(nice) $(cat /proc/self/oom_score_adj)" > facts; exec sleep 300`;
    start(described(shell(facts, { env: { OF_ITS_OWN: "yes" }, nice: 7 })));
    await program.until(
      "both are there",
      () => program.read("facts") !== "" && program.lines("pids").length === 1,
    );
    // What this process has of each, the supervisor has, too.
    const score = Math.min(1000, 500 + Math.max(0, Number(readFileSync("/proc/self/oom_score_adj", "utf8"))));
    expect(program.read("facts")).toBe(
      `yes ${program.folder} ${program.lines("pids")[0]} ${nicenessOf("self") + 7} ${score}\n`,
    );
    expect(nicenessOf(program.lines("pids")[0]!)).toBe(nicenessOf("self"));
  });

  test("one that ends is started again, later and later, and never ends the program", async () => {
    start(described(shell(`echo $$ >> companions; exit 3`)));
    await program.until("its third start", () => program.lines("companions").length === 3);
    for (const delay of ["0.2", "0.4"])
      expect(program.output).toContain(`exporter ended with exit code 3, restarting it in ${delay} s`);
    expectUntouched();
  });

  test("one that cannot be executed is tried again, and the program runs", async () => {
    start(described(shell("", { command: ["/no/such/program"] })));
    await program.until(
      "two tries",
      () => program.output.split("exporter ended with exit code 127").length > 2,
    );
    expect(program.output).toContain("/no/such/program");
    expectUntouched();
  });

  test("one that no process can be made of is tried again, and the program runs", async () => {
    start(described(shell("", { env: { "NO=NAME": "" } })));
    await program.until("two tries", () => program.output.split("exporter cannot be started").length > 2);
    expectUntouched();
  });

  test("what it signals its process group is not for the program", async () => {
    start(described(shell(`echo $$ >> companions; kill -TERM 0; sleep 300`)));
    await program.until("its second start", () => program.lines("companions").length === 2);
    expect(program.output).toContain("exporter was killed by SIGTERM");
    expectUntouched();
  });

  test("what it leaves behind is gone before it is started again, also what has left its session and its parents", async () => {
    const leaves = detached(`trap "" TERM HUP; echo $$ >> left; while :; do sleep 0.02; done`);
    start(
      described(
        shell(
          `for pid in $(cat left 2>/dev/null); do if kill -0 $pid 2>/dev/null; then echo $pid >> survivors; fi; done
           n=$(cat left 2>/dev/null | wc -l); echo $$ >> companions; ${leaves}
           while [ $(cat left 2>/dev/null | wc -l) = $n ]; do sleep 0.01; done; test $n = 2 && exec sleep 300`,
        ),
      ),
    );
    await program.until("three starts", () => program.lines("left").length === 3);
    expect(program.lines("companions")).toHaveLength(3);
    expect(program.read("survivors")).toBe("");
    expect(program.lines("left").slice(0, 2).filter(isAlive)).toEqual([]);
    expectUntouched();
    // It would hold up the end of the test for five seconds.
    process.kill(Number(program.lines("left")[2]), "SIGKILL");
  });

  test("over its memory limit it is killed with all that it started, and started again, and the program goes on", async () => {
    start(
      described(
        shell(
          `echo $$ >> companions; test $(cat companions | wc -l) = 1 || exec sleep 300
           ${detached(`echo $$ > hog; ${TAKES(100)}`)}; exec sleep 300`,
          { memoryMiB: 64 },
        ),
      ),
    );
    await program.until("its second start", () => program.lines("companions").length === 2);
    expect(program.output).toMatch(/exporter uses 1\d\d MiB, more than its limit of 64: killed/);
    expect(program.output).toContain("exporter was killed by SIGKILL, restarting it in 0.2 s");
    expect([program.lines("companions")[0]!, program.read("hog").trim()].filter(isAlive)).toEqual([]);
    expectUntouched();
  });

  test("memory that is not its own does not count: what it shares, what it reads of files", async () => {
    writeFileSync(program.path("file"), Buffer.alloc(100 << 20, 1));
    const shares = `exec python3 -c "
import mmap, time
shared = mmap.mmap(-1, 100 << 20)
for page in range(0, 100 << 20, 4096): shared[page] = 1
file = open('file', 'rb')
read = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
seen = sum(read[page] for page in range(0, 100 << 20, 4096))
open('touched', 'w').write(str(seen))
time.sleep(300)"`;
    start(
      described(
        shell(`echo $$ >> companions; ${shares}`, { memoryMiB: 64 }),
        shell(`while [ ! -s touched ]; do sleep 0.02; done; ${TAKES(100)}`, { name: "hog", memoryMiB: 64 }),
      ),
    );
    // Delays of 1.4 s are between them, and it is looked at once a second.
    await program.until("four ends of the other", () => program.output.split("hog uses").length > 4);
    const [pid] = program.lines("companions");
    expect(
      Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]),
    ).toBeGreaterThan(200 << 10);
    expect(program.lines("companions")).toHaveLength(1);
    expect(program.output).not.toContain("exporter takes");
  });

  describe("when files that it watches change", () => {
    /** The program watches others. */
    const watched = (companion: string, rest: Companion): void => {
      for (const name of ["tls", "others"]) mkdirSync(program.path(name));
      writeFileSync(program.path("reload"), `echo "$SUPERVISED_PID" >> reloads`);
      start([
        ...["--watch", program.path("others"), "--reload", "sh reload"],
        ...described(shell(`echo $$ >> companions; ${companion}`, { watch: [program.path("tls")], ...rest })),
      ]);
    };
    const change = async (): Promise<void> => {
      await program.until("its start", () => program.lines("companions").length === 1);
      writeFileSync(program.path("tls/tls.crt"), "new");
    };

    test("it gets its signal, and the program nothing", async () => {
      watched(`trap 'echo usr1 >> got' USR1; echo > ready; while :; do sleep 0.02; done`, {
        reload: { signal: "SIGUSR1" },
      });
      await program.until("ready", () => program.read("ready") !== "");
      await change();
      await program.until("the signal", () => program.lines("got").length === 1);
      expect(program.output).toContain("files changed, sending exporter SIGUSR1");
      expect(program.lines("companions").filter(isAlive)).toHaveLength(1);
      expectUntouched();
    });

    test("its command runs with its process id and its environment, again until it succeeds", async () => {
      watched("exec sleep 300", {
        env: { OF_ITS_OWN: "yes" },
        reload: {
          command: ["sh", "-c", `echo "$OF_ITS_OWN $SUPERVISED_PID" >> got; test $(wc -l < got) = 2`],
        },
      });
      await change();
      await program.until("two runs", () => program.lines("got").length === 2);
      const [pid] = program.lines("companions");
      expect(program.lines("got")).toEqual([`yes ${pid}`, `yes ${pid}`]);
      expect(program.output).toContain("sh ended with exit code 1, trying again in 5 s");
      expect(program.lines("companions")).toHaveLength(1);
      expectUntouched();
    });

    test("one without either is started again, at once, and killed if it does not stop", async () => {
      watched(`trap 'echo term >> got' TERM; while :; do sleep 0.02; done`, {});
      await change();
      await program.until("its second start", () => program.lines("companions").length === 2);
      expect(program.lines("got")).toEqual(["term"]);
      expect(program.output).toContain("files changed, restarting exporter");
      expect(program.output).toContain("exporter did not stop within 5 s: killed");
      expect(program.output).toContain("exporter was killed by SIGKILL, restarting it in 0.0 s");
      expectUntouched();
      process.kill(Number(program.lines("companions")[1]), "SIGKILL");
    }, 30_000);
  });

  test("a program that dies takes them with it, and both come again", async () => {
    const deaf = `trap "" TERM HUP; echo $$ >> left; while :; do sleep 0.02; done`;
    start(
      described(shell(`echo $$ >> companions; ${detached(deaf)}; exec sleep 300`)),
      `for pid in $(cat companions left 2>/dev/null); do if kill -0 $pid 2>/dev/null; then echo $pid >> survivors; fi; done
       sleep 300`,
    );
    await program.until(
      "all are there",
      () => program.lines("left").length === 1 && program.lines("pids").length === 1,
    );
    process.kill(Number(program.lines("pids")[0]), "SIGKILL");
    await program.until(
      "all are there again",
      () => program.lines("left").length === 2 && program.lines("pids").length === 2,
    );
    expect(program.lines("companions")).toHaveLength(2);
    expect([...program.lines("companions"), ...program.lines("left")].filter(isAlive)).toEqual([
      program.lines("companions")[1],
      program.lines("left")[1],
    ]);
    expect(program.output).toContain("killing everything else");
    expect(program.output).not.toContain("exporter was killed");
    process.kill(Number(program.lines("left")[1]), "SIGKILL");
  });

  test("they go on, and are started again, while the command before the stop runs, and end with the program", async () => {
    start(
      [
        ...["--before-stop", "sh -c 'touch before; while [ ! -e after ]; do sleep 0.02; done'"],
        ...["--before-stop-seconds", "0"],
        ...described(
          shell(
            `echo $$ >> companions; while [ ! -e before ] || [ -e again ]; do sleep 0.02; done; touch again`,
          ),
        ),
      ],
      `trap 'exit 5' TERM; echo > ready; while :; do sleep 0.02; done`,
    );
    await program.until(
      "both are there",
      () => program.read("ready") !== "" && program.lines("companions").length === 1,
    );
    program.signal("SIGTERM");
    await program.until("its second start", () => program.lines("companions").length === 2);
    expectUntouched();
    writeFileSync(program.path("after"), "");
    await program.until("the end", () => program.exit !== undefined);
    expect(program.exit).toBe(5);
    expect(program.lines("companions").filter(isAlive)).toEqual([]);
  });

  describe("a file that says nothing of use does not keep the program from running", () => {
    test("one that is missing means that there are none", async () => {
      start(["--companions", program.path("none.json")]);
      await program.until("the start", () => program.lines("pids").length === 1);
      expect(program.output).toBe("");
    });

    test.each([
      [
        "broken JSON",
        "{",
        /guests\.json cannot be read, so there are no companions: Expecting property name/,
      ],
      ["no list", `{"companion": []}`, /guests\.json has no list "companions", so there are no companions/],
      ["no object", `[]`, /guests\.json has no list "companions", so there are no companions/],
      ["not text", "\u0000", /guests\.json cannot be read, so there are no companions/],
    ])("%s", async (_, content, line) => {
      start(write(content));
      await program.until("the start", () => program.lines("pids").length === 1);
      expect(program.output).toMatch(line);
    });

    test("a directory in its place", async () => {
      start(["--companions", program.folder]);
      await program.until("the start", () => program.lines("pids").length === 1);
      expect(program.output).toContain("cannot be read, so there are no companions");
    });
  });

  test("those that are described wrongly are left out, each with what is wrong with it, and the others run", async () => {
    const command = "a list of strings, the program first";
    const reload = `{"signal": "SIGHUP"}, or another signal, or {"command": ...} with ${command}`;
    const values: readonly [Companion, string][] = [
      [{ command: [] }, `command is a list, and must be ${command}`],
      [{ command: "bad --now" }, `command is "bad --now", and must be ${command}`],
      [{ oomScoreAdj: -1 }, "oomScoreAdj is -1, and must be a whole number from 0 to 1000"],
      [{ oomScoreAdj: true }, "oomScoreAdj is true, and must be a whole number from 0 to 1000"],
      [{ memoryMiB: "64" }, `memoryMiB is "64", and must be a whole number from 1`],
      [
        { memoryMib: 64 },
        "memoryMib is unknown (known: name, command, oomScoreAdj, memoryMiB, env, nice, watch, reload)",
      ],
      [{ nice: 20 }, "nice is 20, and must be a whole number from 0 to 19"],
      [{ env: { SECRET: 5 } }, "env is an object, and must be an object of strings"],
      [{ watch: "/secrets" }, `watch is "/secrets", and must be a list of directories`],
      ...[{}, { signal: "SIGNONE" }, { signal: ["SIGHUP"] }, { signal: "SIGHUP", command: ["x"] }].map(
        (wrong): [Companion, string] => [{ reload: wrong }, `reload is an object, and must be ${reload}`],
      ),
    ];
    const wrong: readonly [unknown, string][] = [
      [5, " is ignored: it is 5, and must be an object"],
      [{ name: "bad" }, " (bad) is ignored: command is missing; oomScoreAdj is missing"],
      [
        shell("", { name: "Bad" }),
        ` is ignored: name is "Bad", and must be a name of a-z, 0-9 and -, a letter first`,
      ],
      [shell("", { name: "good" }), " (good) is ignored: the name is already in use"],
      ...values.map(([value, line]): [unknown, string] => [
        shell("echo > bad; exec sleep 300", { name: "bad", ...value }),
        ` (bad) is ignored: ${line}`,
      ]),
    ];
    start(
      described(
        shell("echo > good; exec sleep 300", { name: "good" }),
        ...wrong.map(([companion]) => companion),
        shell("echo > too; exec sleep 300", { name: "good-too" }),
      ),
    );
    await program.until("the others", () =>
      ["good", "too", "pids"].every((file) => program.read(file) !== ""),
    );
    const said = program.output.trim().split("\n");
    expect(said.map((line) => line.replace(/^.* supervise: .*\/guests\.json: /, ""))).toEqual(
      wrong.map(([, line], index) => `companions[${index + 1}]${line}`),
    );
    expect(program.read("bad")).toBe("");
  });
});

function nicenessOf(pid: string): number {
  // After the name, which may hold anything: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, field 19.
  return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")[16]);
}
