import { nextRolloutStep, unreadyMembers } from "../../../components/platforms/kubernetes/rollout-plan";
import type { MemberPod } from "../../../components/reach/kubernetes/pods";

const MEMBERS = ["pg-0", "pg-1", "pg-2"];
const pod = (ordinal: number, over: Partial<MemberPod> = {}): MemberPod => ({
  name: `pg-${ordinal}`,
  revision: "new",
  ready: true,
  ending: false,
  state: "Running",
  ...over,
});
const old = (ordinal: number, over: Partial<MemberPod> = {}): MemberPod =>
  pod(ordinal, { revision: "old", ...over });
const step = (pods: readonly MemberPod[], last?: string) => nextRolloutStep(MEMBERS, pods, "new", last);

describe("a rolling update of a StatefulSet (D5)", () => {
  test("replaces replicas first, the leader last, whatever its ordinal", () => {
    expect(step([old(0), old(1), old(2)], "pg-0")).toEqual({ is: "replace", pod: "pg-1" });
    expect(step([old(0), pod(1), old(2)], "pg-0")).toEqual({ is: "replace", pod: "pg-2" });
    expect(step([old(0), pod(1), pod(2)], "pg-0")).toEqual({ is: "replace", pod: "pg-0" });
    expect(step([pod(0), pod(1), pod(2)], "pg-1")).toEqual({ is: "done" });
  });

  test("goes by ordinals where nobody is to be last, or nobody can tell", () => {
    expect(step([old(0), old(1), old(2)])).toEqual({ is: "replace", pod: "pg-0" });
  });

  test.each([
    [
      "one that was replaced is not ready",
      [pod(0, { ready: false, state: "Pending" }), old(1), old(2)],
      /pg-0 is not ready \(Pending\)/,
    ],
    ["one is terminating", [old(0, { ending: true }), old(1), old(2)], /pg-0 is terminating/],
    ["one is not there", [old(1), old(2)], /pg-0 does not exist yet/],
  ])("takes nobody away while %s", (_what, pods, why) => {
    expect(step(pods)).toEqual({ is: "wait", why: expect.stringMatching(why) as string });
  });

  test("begins with an outdated member that is not ready, even the leader: it is down already", () => {
    expect(step([old(0), old(1), old(2, { ready: false })], "pg-2")).toEqual({ is: "replace", pod: "pg-2" });
  });

  test("does not begin with it while another one is on its way", () => {
    expect(step([old(0, { ready: false }), old(1), pod(2, { ending: true })])).toMatchObject({ is: "wait" });
  });

  test("that is done has every member ready, and says whom it waits for", () => {
    expect(unreadyMembers(MEMBERS, [pod(0), pod(1), pod(2)])).toEqual([]);
    expect(unreadyMembers(MEMBERS, [pod(0), pod(2, { ready: false, state: "CrashLoopBackOff" })])).toEqual([
      "pg-1 does not exist yet",
      "pg-2 is not ready (CrashLoopBackOff)",
    ]);
  });
});
