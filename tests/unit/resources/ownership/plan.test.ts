import { type Claim, planOwnership } from "../../../../components/resources/ownership/plan";
import { markText, readMark } from "../../../../components/reach/owner-mark";

const claim: Claim = {
  ...{ cluster: "pg", owner: "mine", known: true, stack: "dev", project: "shop" },
  where: "the volume pg-owner",
};
const data = ["pg-etcd-0-data", "pg-patroni-0-data", "pg-patroni-1-data", "pg-patroni-2-data"];
const other = { owner: "theirs", stack: "second", project: "shop", since: "2026-11-28T03:00:00.000Z" };

describe("whose a cluster is", () => {
  test.each([
    ["where nothing is, whoever comes", { ...claim, known: false }, { data: [] }],
    [
      "marked by this state, under whatever name its stack has now",
      { ...claim, stack: "renamed" },
      { data, mark: { ...other, owner: "mine" } },
    ],
    ["this state's when its mark was lost", claim, { data }],
  ])("is %s", (_what, who, seen) => {
    expect(planOwnership(who, seen)).toEqual({ verdict: "ours" });
  });

  test("another's mark refuses, and tells whose it is and the ways out", () => {
    for (const known of [true, false]) {
      const verdict = planOwnership({ ...claim, known }, { data, mark: other });
      expect(verdict).toEqual({ verdict: "refused", refusal: expect.any(String) });
      const { refusal } = verdict as { refusal: string };
      for (const told of [
        "the cluster pg belongs to the stack second of the project shop, since 2026-11-28T03:00:00.000Z",
        "owner theirs, recorded in the volume pg-owner",
        known ? "this state (stack dev of shop) is mine" : "this state (stack dev of shop) does not know it",
        ...["Nothing was changed.", "import it", "setting `cluster`", "`adopt.cluster` to pg"],
      ])
        expect(refusal).toContain(told);
      expect(refusal).not.toContain("is left of the cluster");
    }
  });

  test("a mark without data refuses as well, and says how to take it away", () => {
    expect(planOwnership({ ...claim, known: false }, { data: [], mark: other })).toEqual({
      verdict: "refused",
      refusal: expect.stringContaining("only this mark is left of the cluster: delete the volume pg-owner"),
    });
  });

  test("data without a mark are for a state that can prove that it knows them", () => {
    expect(planOwnership({ ...claim, known: false }, { data })).toEqual({
      verdict: "unproven",
      refusal: expect.stringMatching(
        /^data of a cluster pg exist \(pg-etcd-0-data, pg-patroni-0-data, pg-patroni-1-data and 1 more\), but this state \(stack dev of shop\) has none of its secrets/,
      ),
    });
  });
});

test("a mark is read as it was written, and one that cannot be read is nobody's who asks", () => {
  expect(readMark(markText(other))).toEqual(other);
  for (const text of ["", "{", "null", '"mine"', '{"owner":""}', "[]"])
    expect(readMark(text).owner).toBe("(unreadable)");
});
