import { applyConfiguration } from "../../../../components/resources/patroni/apply";
import { restartAll, rollingRestart } from "../../../../components/resources/patroni/restart";
import { switchover } from "../../../../components/resources/patroni/switchover";
import { FakePatroni } from "../../../support/fake-patroni";
import { ended, withoutWaiting } from "../../../support/waits";

withoutWaiting();
const OPTIONS = { restartSeconds: 60 };

describe("a rolling restart", () => {
  test.each([1, 2, 3, 4])("of %d members asks for nothing that would be refused (D5)", async (count) => {
    const group = new FakePatroni(count, true);
    expect(await ended(rollingRestart(group, OPTIONS))).toBeUndefined();
    expect(group.refused).toEqual([]);
    expect(group.restarts()).toEqual(group.members.map(() => 1));
    expect(group.asked).toEqual([
      ...group.members.slice(1).map((name) => `/restart ${name}`),
      count === 1 ? "/restart pg-0" : "/switchover pg-0",
    ]);
  });

  test.each([1, 2, 3, 4])("of all %d members restarts each of them once (D5)", async (count) => {
    const group = new FakePatroni(count);
    expect(await ended(restartAll(group, OPTIONS))).toBeUndefined();
    expect(group.refused).toEqual([]);
    expect(group.restarts()).toEqual(group.members.map(() => 1));
  });

  test("asks again for what was refused for the moment, and not for what was done unheard (D5)", async () => {
    const group = new FakePatroni(3, true);
    group.next["/restart"] = [{ text: "restarting after failure already in progress" }, "lost"];
    group.next["/switchover"] = [
      { text: "Switchover failed" },
      { status: 412, text: "no good candidates" },
      "lost",
    ];
    expect(await ended(rollingRestart(group, OPTIONS))).toBeUndefined();
    expect(group.restarts()).toEqual([1, 1, 1]);
    expect(group.asked).toEqual([
      ...["/restart pg-1", "/restart pg-1", "/restart pg-2"],
      ...["/switchover pg-0", "/switchover pg-0", "/switchover pg-0"],
    ]);
  });

  test("leaves a replica alone that leads by then: it hands over first (D5)", async () => {
    const group = new FakePatroni(3, true);
    const send = group.send.bind(group);
    group.send = (member, request) => {
      if (request.path === "/restart" && group.asked.length === 0) group.leader = member;
      return send(member, request);
    };
    expect(await ended(rollingRestart(group, OPTIONS))).toBeUndefined();
    expect(group.restarts()).toEqual([1, 1, 1]);
    expect(group.asked.at(-1)).toBe("/switchover pg-1");
  });

  test("ends at once with what Patroni refuses for good", async () => {
    const group = new FakePatroni(2, true);
    group.next["/restart"] = [{ text: "restart failed" }];
    expect(await ended(rollingRestart(group, OPTIONS))).toEqual(
      new Error("Patroni rejects the restart of pg-1 with status 503: restart failed"),
    );
    expect(group.asked).toHaveLength(1);
  });
});

describe("a switchover", () => {
  test("is over when somebody else leads by then, and is not asked for", async () => {
    const group = new FakePatroni(2);
    group.leader = "pg-1";
    expect(await ended(switchover(group, { from: "pg-0" }))).toEqual({ from: "pg-0", to: "pg-1" });
    expect(group.asked).toEqual([]);
  });

  test("that is refused for good says so at once", async () => {
    const group = new FakePatroni(2);
    group.next["/switchover"] = [{ status: 401, text: "not authorized" }];
    expect(await ended(switchover(group))).toEqual(
      new Error("cannot switch over from pg-0: Patroni answers with status 401: not authorized"),
    );
    expect(await ended(switchover(group, { candidate: "pg-9" }))).toEqual(
      new Error('cannot switch over from pg-0: there is no member "pg-9"; the members are pg-0, pg-1'),
    );
    expect(group.asked).toHaveLength(1);
  });

  test("that never comes says what Patroni said last", async () => {
    const group = new FakePatroni(2);
    group.next["/switchover"] = Array.from({ length: 1000 }, () => ({ text: "Switchover failed" }));
    expect(await ended(switchover(group, { deadlineSeconds: 5 }))).toEqual(
      new Error(
        "switchover from pg-0: timed out after 5 s. Last seen: pg-0 is still the leader; Patroni's last answer: Switchover failed",
      ),
    );
  });
});

describe("a change of the configuration", () => {
  test("is taken when each member has begun two cycles after it, and ours are not counted (S3)", async () => {
    const group = new FakePatroni(2);
    // The second member cannot be asked at first: what it says then may be older than the change.
    const cycles = { "pg-0": [1, 1, 2, 3], "pg-1": [NaN, 7, 8, 8, 9] };
    let reads = 0;
    const send = group.send.bind(group);
    group.send = async (member, request) => {
      if (request.method === "PATCH") return { status: 200, text: "", json: {} };
      if (request.path !== "/patroni") reads += 1;
      const left = cycles[member as keyof typeof cycles];
      if (request.path !== "/patroni" || left.length === 0) return send(member, request);
      const dcs_last_seen = left.shift();
      if (Number.isNaN(dcs_last_seen)) throw new Error("refused");
      return { status: 200, text: "", json: { dcs_last_seen } };
    };
    const options = { deadlineSeconds: 60, restartSeconds: 60 };
    const change = applyConfiguration(group, { ttl: 21 }, {}, options);
    expect(await ended(change)).toBeUndefined();
    expect(cycles).toEqual({ "pg-0": [], "pg-1": [] });
    // One for the configuration before, two for the whole cluster after it: none between the change and its end.
    expect(reads).toBe(3);
  });
});
