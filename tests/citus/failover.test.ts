import { withCitus } from "../support/citus";
import * as faults from "../support/faults";
import { docker } from "../support/stack";
import { coordinatorLeader, failures, leaderOf, report, settled, underLoad } from "./cluster";

(withCitus ? describe : describe.skip)("leaders of a distributed database change and fail (D2, D8)", () => {
  afterAll(() => report());

  test("a worker's switchover breaks no query", async () => {
    const leader = await leaderOf(1);
    const loads = await underLoad("worker switchover", () =>
      docker("exec", leader, "patronictl", "switchover", "--group", "1", "--leader", leader, "--force"),
    );
    expect(failures(loads)).toEqual([]);
    await settled([1, 2]);
  });

  describe.each([
    ["a worker group", () => leaderOf(1)],
    ["the coordinators", coordinatorLeader],
  ])("the leader of %s fails: nothing acknowledged is lost (D2, D8)", (whose, findLeader) => {
    test("postmaster SIGKILL", async () => {
      const leader = await findLeader();
      await underLoad(`${whose}: postmaster SIGKILL`, () => faults.killPostmaster(leader));
      await settled([1, 2]);
    });

    test("container killed and started again", async () => {
      const leader = await findLeader();
      await underLoad(`${whose}: container killed, started`, async () => {
        await faults.kill(leader);
        await faults.start(leader);
      });
      await faults.healthy(leader);
      await settled([1, 2]);
    });

    test("container killed for good", async () => {
      const leader = await findLeader();
      await underLoad(
        `${whose}: container killed for good`,
        () => faults.kill(leader),
        () => faults.start(leader),
      );
      await faults.healthy(leader);
      await settled([1, 2]);
    });
  });
});
