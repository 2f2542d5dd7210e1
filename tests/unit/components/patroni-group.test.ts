import { type FailoverTiming, resolvePatroniGroup } from "../../../components/patroni-group-args";

describe("the timing of a group of members (H1)", () => {
  const problems = (timing: FailoverTiming): readonly string[] =>
    resolvePatroniGroup({ scope: "pg", timing }, "patroni").problems.map(
      ({ setting, rule, remedy }) => `${setting}: ${rule}. ${remedy}`,
    );

  test("leaves room between a leader's giving up, its watchdog and the end of its lease", () => {
    expect(problems({})).toEqual([]);
    expect(problems({ ttlSeconds: 27, retryTimeoutSeconds: 8 })).toEqual([]);
    expect(problems({ ttlSeconds: 40, loopWaitSeconds: 10, retryTimeoutSeconds: 10 })).toEqual([]);
  });

  test.each([
    [{ ttlSeconds: 26, loopWaitSeconds: 1, retryTimeoutSeconds: 8 }, 27],
    // Patroni's own defaults.
    [{ ttlSeconds: 30, loopWaitSeconds: 10, retryTimeoutSeconds: 10 }, 40],
    [{ retryTimeoutSeconds: 5 }, 21],
  ])("else it is refused, with what it needs: %j", (timing, needed) => {
    expect(problems(timing)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^patroni\\.timing: loopWaitSeconds \\+ 2 x retryTimeoutSeconds \\+ 10 \\(${needed}\\) must not exceed ttlSeconds .* Raise ttlSeconds to ${needed} or`,
        ),
      ),
    ]);
  });
});
