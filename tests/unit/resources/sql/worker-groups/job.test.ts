import {
  describeProgress,
  failedSince,
  hopeless,
  type Job,
  movedBy,
} from "../../../../../components/resources/sql/worker-groups/job";

const job = (...states: readonly (readonly [state: string, failures?: number])[]): Job => ({
  job: "7",
  state: "running",
  tasks: states.map(([state, failures = 0], index) => ({
    ...{ task: String(index + 1), state, failures, message: failures > 0 ? "no space" : "" },
  })),
});

const MIB = 1024 ** 2;

describe("the progress of a job (D3)", () => {
  const sizes = new Map([
    ["1", 100 * MIB],
    ["2", 300 * MIB],
    ["3", 400 * MIB],
  ]);
  const all = { moves: 3, bytes: 800 * MIB };
  const before = { moves: 0, bytes: 0 };

  test("moves and bytes, with what the moves under way have copied, the rate, and the time left", () => {
    const now = movedBy(job(["done"], ["running"], ["blocked"]), sizes, 60 * MIB);
    expect(now).toEqual({ moves: 1, bytes: 160 * MIB });
    expect(describeProgress("7", now, all, before, 4)).toBe(
      "rebalance job 7: 1 of 3 moves, 160.0 MiB of 800.0 MiB, 40.0 MiB/s, about 16 s left",
    );
  });

  test("a rate counts from where this run began, and is told once there is one", () => {
    const now = { moves: 1, bytes: 100 * MIB };
    expect(describeProgress("7", now, all, now, 4)).toBe(
      "rebalance job 7: 1 of 3 moves, 100.0 MiB of 800.0 MiB",
    );
    expect(describeProgress("7", { moves: 2, bytes: 400 * MIB }, all, now, 3)).toContain(
      "100.0 MiB/s, about 4 s left",
    );
    expect(describeProgress("7", { moves: 3, bytes: 800 * MIB }, all, now, 3)).toBe(
      "rebalance job 7: 3 of 3 moves, 800.0 MiB of 800.0 MiB",
    );
  });

  test("where sizes are unknown it is told by moves", () => {
    expect(
      describeProgress("7", { moves: 4, bytes: 0 }, { moves: 10, bytes: 0 }, { moves: 2, bytes: 0 }, 3),
    ).toBe("rebalance job 7: 4 of 10 moves, about 9 s left");
  });
});

describe("a job that gets no further (D3)", () => {
  const before = job(["runnable", 7], ["runnable"], ["blocked"]);

  test("what failed since the last look is told, whatever failed before", () => {
    expect(failedSince(before, before)).toEqual([]);
    expect(failedSince(before, job(["runnable", 7], ["runnable", 1], ["blocked"]))).toEqual([
      { task: "2", state: "runnable", failures: 1, message: "no space" },
    ]);
  });

  test("a move that fails for as long as a failover takes is waited for, and given up at its fourth failure", () => {
    expect(hopeless(before, job(["runnable", 10], ["runnable", 3], ["blocked"]))).toBeUndefined();
    expect(hopeless(before, job(["runnable", 7], ["runnable", 4], ["blocked"]))).toMatchObject({ task: "2" });
    expect(hopeless(before, job(["runnable", 11], ["runnable"], ["blocked"]))).toMatchObject({ task: "1" });
  });
});
