import {
  DECLARED_MEMBERS,
  declareMembers,
} from "../../../../components/resources/patroni/membership-provider";
import { FakePatroni } from "../../../support/fake-patroni";
import { ended, withoutWaiting } from "../../../support/waits";

withoutWaiting();
const declare = (group: FakePatroni, declared: readonly string[], synchronousReplicas = 1) =>
  ended(declareMembers(group, declared, { synchronousReplicas, deadlineSeconds: 20 }));

describe("a group whose members change", () => {
  test.each([
    ["3 to 2", 3, ["pg-0", "pg-1"], "pg-2"],
    ["3 to 1", 3, ["pg-0"], "pg-1"],
    ["2 to 1", 2, ["pg-0"], "pg-1"],
    ["4 to 2", 4, ["pg-0", "pg-1"], "pg-3"],
  ])("%s: a leader that leaves hands over to one that stays (D5)", async (_, count, stay, leader) => {
    const group = new FakePatroni(count);
    group.leader = leader;
    expect(await declare(group, stay)).toBeUndefined();
    expect(stay).toContain(group.leader);
    expect(group.asked).toEqual([`/switchover ${leader}`]);
    expect(group.configuration[DECLARED_MEMBERS]).toEqual(stay);
  });

  test("asks for nothing when the leader stays, or members come (D5)", async () => {
    const group = new FakePatroni(3);
    expect(await declare(group, ["pg-0", "pg-1"])).toBeUndefined();
    expect(await declare(group, ["pg-0", "pg-1", "pg-2"])).toBeUndefined();
    expect(group.asked).toEqual([]);
    expect(group.configuration[DECLARED_MEMBERS]).toEqual(group.members);
  });

  test("lets commits wait for fewer before members leave, and for more only when they have come", async () => {
    const group = new FakePatroni(4);
    group.configuration["synchronous_node_count"] = 2;
    expect(await declare(group, group.members, 3)).toBeUndefined();
    expect(group.configuration["synchronous_node_count"]).toBe(2);
    expect(await declare(group, ["pg-0", "pg-1"], 1)).toBeUndefined();
    expect(group.configuration["synchronous_node_count"]).toBe(1);
  });

  test("is not changed when nobody who stays can lead: that would take the data away", async () => {
    const group = new FakePatroni(3);
    group.leader = "pg-2";
    group.neverCounted("pg-0");
    expect(await declare(group, ["pg-0"])).toEqual(
      new Error(
        "one of pg-0 leads, so that pg-1, pg-2 can be removed: timed out after 20 s. Last seen: none of them is a synchronous replica that streams from pg-2",
      ),
    );
    expect(group.asked).toEqual([]);
  });
});
