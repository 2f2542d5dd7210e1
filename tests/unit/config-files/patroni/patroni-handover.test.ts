import { resolve } from "node:path";
import { callPython } from "../../../support/python";

const SCRIPT = resolve(__dirname, "../../../../config-files/patroni/scripts/patroni-handover");

interface Member {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly tags?: Readonly<Record<string, unknown>>;
}

const nextStep = (members: readonly Member[], lost: readonly string[] = []): unknown =>
  callPython(SCRIPT, "next_step", [["a", members, lost]])[0];

const me = { name: "a", role: "leader", state: "running" };
const synchronous = { name: "b", role: "quorum_standby", state: "streaming" };

describe("handing leadership over before a member is replaced", () => {
  test("a replica has nothing to hand over", () => {
    expect(
      nextStep([
        { ...me, role: "replica" },
        { name: "b", role: "leader", state: "running" },
      ]),
    ).toEqual(["done", "b leads"]);
  });

  test("a leader asks for a switchover when a synchronous replica streams", () => {
    expect(nextStep([me, synchronous])).toEqual(["ask", ""]);
  });

  test.each([
    ["asynchronous", { ...synchronous, role: "replica" }, "b is replica, streaming"],
    ["not streaming", { ...synchronous, state: "starting" }, "b is quorum_standby, starting"],
    ["not allowed to lead", { ...synchronous, tags: { nofailover: true } }, "b is quorum_standby, streaming"],
  ])("a leader waits for a replica that is %s, and says why", (_, member, why) => {
    expect(nextStep([me, member])).toEqual(["wait", `no replica is synchronous and streaming: ${why}`]);
  });

  test("members that the DCS has forgotten still count: the leader is not alone", () => {
    expect(nextStep([me], ["b", "c"])).toEqual([
      "wait",
      "no replica is synchronous and streaming: the owner of slot b is gone; the owner of slot c is gone",
    ]);
  });

  test("members that were taken away do not count, whatever they left behind (D5)", () => {
    const left = { name: "pg-1", role: "replica", state: "streaming" };
    const counted = (
      members: readonly Member[],
      slots: readonly string[],
      declared: readonly string[] | null,
    ) => callPython(SCRIPT, "counted", [[members, slots, declared]])[0];
    expect(counted([me, left], ["pg_1", "pg_2"], ["a"])).toEqual([[me], []]);
    expect(counted([me], ["pg_1"], ["a", "pg-1"])).toEqual([[me], ["pg_1"]]);
    // The number of members never changed.
    expect(counted([me, left], ["pg_1", "pg_2"], null)).toEqual([[me, left], ["pg_2"]]);
    // Who leads is told, also when it is to leave.
    expect(counted([{ ...left, role: "leader" }, synchronous], [], ["a"])).toEqual([
      [{ ...left, role: "leader" }],
      [],
    ]);
  });

  test("a single member has nobody to hand over to", () => {
    expect(nextStep([me])).toEqual(["done", "there is no other member to hand over to"]);
  });

  test("without a leader it waits", () => {
    expect(nextStep([{ ...me, role: "replica" }, synchronous])).toEqual([
      "wait",
      "there is no leader at the moment",
    ]);
  });
});
