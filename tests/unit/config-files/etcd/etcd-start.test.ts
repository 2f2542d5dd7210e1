import { resolve } from "node:path";
import { callPython } from "../../../support/python";

const SCRIPT = resolve(__dirname, "../../../../config-files/etcd/scripts/etcd-start");
const OWN = "https://a:2380";

type Answer =
  | "blank"
  | null
  | readonly {
      readonly name?: string;
      readonly peerURLs: readonly string[];
      readonly clientURLs?: readonly string[];
    }[];

/** What a member without data decides, from what the others answered. */
const decisions = (...cases: readonly (readonly [Readonly<Record<string, Answer>>, number])[]): unknown[] =>
  callPython(
    SCRIPT,
    "decide",
    cases.map(([answers, waited]) => ["a", OWN, answers, waited]),
  );

const other = { name: "b", peerURLs: ["https://b:2380"], clientURLs: ["https://b:2379"] };
const neverRan = { name: "a", peerURLs: [OWN], clientURLs: [] };
const ran = { name: "a", peerURLs: [OWN], clientURLs: ["https://a:2379"] };
const added = { peerURLs: [OWN] };

describe("an etcd member without data", () => {
  test("starts a new cluster when all others are blank too, or know that it never ran", () => {
    expect(decisions([{ b: "blank", c: "blank" }, 0], [{ b: [other, neverRan], c: "blank" }, 0])).toEqual([
      "new",
      "new",
    ]);
  });

  test("waits for a silent one: its own data may be what was lost", () => {
    const cases = decisions(
      [{ b: "blank", c: null }, 0],
      [{ b: [other, neverRan], c: null }, 0],
      [{ b: null, c: null }, 3600],
    );
    expect(cases).toEqual([null, null, null]);
  });

  test("goes on without a silent one after a minute, with a majority of blank ones", () => {
    expect(decisions([{ b: "blank", c: null }, 61], [{ b: "blank", c: null, d: null, e: null }, 61])).toEqual(
      ["new", null],
    );
  });

  test("rejoins as soon as one says that it ran, whatever the others say", () => {
    expect(decisions([{ b: [other, ran], c: null }, 0], [{ b: [other, ran], c: "blank" }, 0])).toEqual([
      "rejoin",
      "rejoin",
    ]);
  });

  test("joins when it is not known yet, and goes on where an earlier try was interrupted", () => {
    expect(decisions([{ b: [other], c: null }, 0], [{ b: [other, added], c: null }, 0])).toEqual([
      "rejoin",
      "join",
    ]);
  });
});

test("who is declared is a member; without a list everybody is", () => {
  expect(
    callPython(SCRIPT, "is_declared", [
      ["a", ""],
      ["a", '["a","b"]'],
      ["a", '["b"]'],
    ]),
  ).toEqual([true, true, false]);
});
