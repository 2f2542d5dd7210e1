import { leavingMembers } from "../../../components/platforms/docker/leaving";

test("who leaves are the members above the declared number, the highest first (D5)", () => {
  const names = ["pg-patroni-0", "pg-patroni-2", "pg-patroni-10", "pg-patroni-1"];
  expect(leavingMembers(names, "pg-patroni", 2)).toEqual(["pg-patroni-10", "pg-patroni-2"]);
  expect(leavingMembers(names, "pg-patroni", 11)).toEqual([]);
});

test("nobody else's container is taken for one that leaves", () => {
  const others = ["pg-patroni-extra-7", "pg-patroni-7-old", "my-pg-patroni-7", "pg-patroni", "pg-patroni-07"];
  expect(leavingMembers(others, "pg-patroni", 1)).toEqual([]);
});
