import { spawn } from "node:child_process";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { isAlive, SUPERVISE, Supervised } from "../../support/supervised";

describe("supervise", () => {
  let program: Supervised;
  beforeEach(() => (program = new Supervised()));
  // Leftovers that are deaf to SIGTERM are killed after five seconds.
  afterEach(() => program.end(), 20_000);

  test("a program that dies is started again, and nothing that it left behind lives by then", async () => {
    // The leftover is a postmaster in small: in a session of its own, its parent gone, deaf to SIGTERM and SIGHUP.
    program.start(
      [],
      `for pid in $(cat leftovers 2>/dev/null); do if kill -0 $pid 2>/dev/null; then echo $pid >> survivors; fi; done
       setsid sh -c 'trap "" TERM HUP; echo $$ >> leftovers; (trap "" TERM; sleep 300) & wait; sleep 300' &
       echo $$ >> pids; while [ ! -s leftovers ]; do sleep 0.01; done; sleep 300`,
    );
    for (const start of [1, 2]) {
      await program.until(
        `start ${start}`,
        () => program.lines("pids").length === start && program.lines("leftovers").length >= start,
      );
      process.kill(Number(program.lines("pids").at(-1)), "SIGKILL");
    }
    await program.until("the third start", () => program.lines("pids").length === 3);
    expect(program.read("survivors")).toBe("");
    expect(program.lines("leftovers").slice(0, 2).filter(isAlive)).toEqual([]);
    expect(program.output).toContain("sh was killed by SIGKILL unexpectedly: killing everything else");
    expect(program.output).toContain("no process is left, restarting sh in 0.");
    // The last ones would hold up the end of the test for five seconds.
    await program.until("the last leftover", () => program.lines("leftovers").length === 3);
    process.kill(Number(program.lines("leftovers").at(-1)), "SIGKILL");
  });

  test("a stop is handed on, waited for, and its exit code passed on", async () => {
    program.start(
      [],
      `trap 'echo asked > asked; sleep 0.3; echo done > done; exit 7' TERM; echo > ready; while :; do sleep 0.05; done`,
    );
    await program.until("ready", () => program.read("ready") !== "");
    program.signal("SIGTERM");
    await program.until("the end", () => program.exit !== undefined);
    expect(program.exit).toBe(7);
    expect(program.read("done")).toBe("done\n");
  });

  test("a program that does not stop is killed after the grace period", async () => {
    program.start(["--grace", "0.5"], `trap '' TERM; echo > ready; while :; do sleep 0.05; done`);
    await program.until("ready", () => program.read("ready") !== "");
    program.signal("SIGTERM");
    await program.until("the end", () => program.exit !== undefined);
    expect(program.exit).toBe(137);
    expect(program.output).toContain("did not stop within 0 s");
  });

  test("a command before the stop runs while the program works, and the stop follows its end, whatever it was", async () => {
    program.start(
      ["--before-stop", "sh -c 'test -e stopped || echo working > seen; exit 3'"],
      `trap 'echo stopped > stopped; exit 0' TERM; echo > ready; while :; do sleep 0.05; done`,
    );
    await program.until("ready", () => program.read("ready") !== "");
    program.signal("SIGTERM");
    await program.until("the end", () => program.exit !== undefined);
    expect(program.read("seen")).toBe("working\n");
    expect(program.read("stopped")).toBe("stopped\n");
    expect(program.exit).toBe(0);
  });

  test("a program that has a signal of its own for an orderly stop gets that one", async () => {
    program.start(
      ["--stop-signal", "SIGINT"],
      `trap 'echo int >> got; exit 0' INT; trap 'echo term >> got' TERM; echo > ready; while :; do sleep 0.05; done`,
    );
    await program.until("ready", () => program.read("ready") !== "");
    program.signal("SIGTERM");
    await program.until("the end", () => program.exit !== undefined);
    expect(program.read("got")).toBe("int\n");
  });

  test("a second request to stop does not wait for the command before the stop, which ends with everything else", async () => {
    program.start(
      ["--before-stop", "sh -c 'echo $$ > before; exec sleep 300'"],
      `trap 'exit 0' TERM; echo > ready; while :; do sleep 0.05; done`,
    );
    await program.until("ready", () => program.read("ready") !== "");
    program.signal("SIGTERM");
    await program.until("the command", () => program.read("before") !== "");
    program.signal("SIGTERM");
    await program.until("the end", () => program.exit !== undefined);
    expect(program.exit).toBe(0);
    expect(isAlive(program.read("before").trim())).toBe(false);
  });

  test("for a command before the stop that takes longer than it may, the stop does not wait", async () => {
    program.start(
      ["--before-stop", "sleep 300", "--before-stop-seconds", "0.3"],
      `trap 'exit 0' TERM; echo > ready; while :; do sleep 0.05; done`,
    );
    await program.until("ready", () => program.read("ready") !== "");
    program.signal("SIGTERM");
    await program.until("the end", () => program.exit !== undefined);
    expect(program.output).toContain("sleep takes longer than 0 s");
    expect(program.exit).toBe(0);
  });

  test("a program that ends while the command before the stop runs has stopped, and companions go on until then", async () => {
    program.start(
      [
        ...["--before-stop", "sh -c 'touch before; exec sleep 300'", "--before-stop-seconds", "0"],
        ...["--also", "sh -c 'test ! -e before || echo x >> also; sleep 0.05'"],
      ],
      `echo > ready; while [ ! -e leave ]; do sleep 0.05; done; exit 5`,
    );
    await program.until("ready", () => program.read("ready") !== "");
    program.signal("SIGTERM");
    await program.until("companions started meanwhile", () => program.lines("also").length === 2);
    writeFileSync(program.path("leave"), "");
    await program.until("the end", () => program.exit !== undefined);
    expect(program.exit).toBe(5);
    expect(program.output).not.toContain("stopping sh");
  });

  test("a companion that ends is started again while the program goes on", async () => {
    program.start(["--also", "sh -c 'echo x >> also; sleep 0.05'"], `echo x >> main; sleep 300`);
    await program.until("the companion's second start", () => program.lines("also").length === 2);
    expect(program.lines("main")).toEqual(["x"]);
  });

  test("SIGHUP and SIGUSR2 reach the program", async () => {
    program.start(
      [],
      `trap 'echo hup >> got' HUP; trap 'echo usr2 >> got' USR2; echo > ready; while :; do sleep 0.02; done`,
    );
    await program.until("ready", () => program.read("ready") !== "");
    program.signal("SIGHUP");
    await program.until("hup", () => program.read("got") === "hup\n");
    program.signal("SIGUSR2");
    await program.until("usr2", () => program.read("got") === "hup\nusr2\n");
  });

  test("a changed file runs the reload command once it has settled, and again until it succeeds; a swapped link counts", async () => {
    // The layout in which Kubernetes mounts a secret.
    for (const version of ["1", "2"]) {
      mkdirSync(program.path(`v${version}`));
      writeFileSync(program.path(`v${version}/tls.crt`), version);
    }
    mkdirSync(program.path("tls"));
    symlinkSync("../v1", program.path("tls/..data"));
    symlinkSync("..data/tls.crt", program.path("tls/tls.crt"));
    writeFileSync(
      program.path("reload"),
      // One write: a look between two would see half of it.
      `echo "$(cat tls/tls.crt) $SUPERVISED_PID" >> reloads; test -e fine`,
    );
    program.start(["--watch", program.path("tls"), "--reload", "sh reload"], `echo $$ > pid; sleep 300`);
    await program.until("the start", () => program.read("pid") !== "");
    await new Promise((done) => setTimeout(done, 1200));
    expect(program.read("reloads")).toBe("");
    symlinkSync("../v2", program.path("tls/..data.new"));
    renameSync(program.path("tls/..data.new"), program.path("tls/..data"));
    await program.until("a reload, which fails", () => program.lines("reloads").length === 1);
    writeFileSync(program.path("fine"), "");
    await program.until("another, which succeeds", () => program.lines("reloads").length === 2);
    expect(program.output).toContain("sh ended with exit code 1, trying again in 5 s");
    // It looks every second: one that is not done with would be tried again by then.
    await new Promise((done) => setTimeout(done, 2500));
    const reload = `2 ${program.read("pid").trim()}`;
    expect(program.lines("reloads")).toEqual([reload, reload]);
  }, 60_000);

  test("a program that does not exist is an error and no endless loop", async () => {
    const missing = spawn("python3", [SUPERVISE, "--", "/no/such/program"]);
    const code = await new Promise((done) => missing.on("exit", done));
    expect(code).toBe(127);
  });
});
