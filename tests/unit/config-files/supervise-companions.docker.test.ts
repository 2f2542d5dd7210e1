import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWithImage, docker, logOf } from "../../support/docker";
import { imageOf } from "../../support/patroni";
import { eventually } from "../../support/stack";

/** At its first start it forks twice, as servers do, and what it leaves takes more than it may; then it only waits. */
const HOG = `import os, time
if os.path.exists("/tmp/hog"): time.sleep(300)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("/tmp/hog", "w").write(str(os.getpid()))
        taken = bytearray(100 << 20)
    else: os._exit(0)
time.sleep(300)`;

const FACTS = `cd /tmp; echo "$(nice) $(cat /proc/self/oom_score_adj) $SUPERVISED_PID" > facts.new; mv facts.new facts; exec sleep 300`;

describeWithImage("companions in our containers, which have no privilege (guests)", () => {
  const container = `companions-${randomBytes(3).toString("hex")}`;
  const guests = mkdtempSync(join(tmpdir(), "guests-"));
  // It is copied with its mode, and read as another user.
  chmodSync(guests, 0o755);
  afterEach(() => docker("rm", "--force", container));
  afterAll(() => {
    rmSync(guests, { recursive: true });
  });

  test.each(["etcd", "patroni", "haproxy", "pgbouncer"])(
    "%s has what the file says, and kills of them what takes too much",
    async (image) => {
      const companion = (name: string, command: readonly string[]): object => ({
        ...{ name, command, oomScoreAdj: 500, memoryMiB: 64, nice: 5 },
      });
      const companions = [
        companion("facts", ["sh", "-c", FACTS]),
        companion("hog", ["/usr/bin/python3", "-c", HOG]),
      ];
      writeFileSync(join(guests, "guests.json"), JSON.stringify({ companions }), { mode: 0o644 });
      // As a pod on Kubernetes that is not of the class Guaranteed.
      const options = ["--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"];
      docker(
        ...["create", "--name", container, "--oom-score-adj", "300", ...options, imageOf(image)],
        ...["sleep", "300"],
      );
      docker("cp", `${guests}/.`, `${container}:/etc/guests`);
      docker("start", container);
      const read = (path: string): string => docker("exec", container, "cat", path);
      const log = (): string => logOf(container);
      await eventually("the hog is started again", 60_000, () =>
        /hog uses 1\d\d MiB, more than its limit of 64: killed\n.*hog was killed by SIGKILL, restarting it/.test(
          log(),
        )
          ? Promise.resolve()
          : Promise.reject(new Error(log())),
      );
      const [niceness, score, program] = read("/tmp/facts").split(" ");
      expect([niceness, score]).toEqual(["5", "800"]);
      expect(read(`/proc/${Number(program)}/oom_score_adj`)).toBe("300");
      expect(() => read(`/proc/${read("/tmp/hog")}/status`)).toThrow(/No such file/);
      expect(log()).not.toContain("killing everything else");
    },
  );
});
