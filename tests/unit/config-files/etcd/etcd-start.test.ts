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
function decide(answers: Readonly<Record<string, Answer>>, waited = 0): string | null {
  return callPython(SCRIPT, "decide", ["a", OWN, answers, waited]) as string | null;
}

const other = { name: "b", peerURLs: ["https://b:2380"], clientURLs: ["https://b:2379"] };
const neverRan = { name: "a", peerURLs: [OWN], clientURLs: [] };
const ran = { name: "a", peerURLs: [OWN], clientURLs: ["https://a:2379"] };
const added = { peerURLs: [OWN] };

describe("an etcd member without data", () => {
  test("starts a new cluster when all others are blank too, or know that it never ran", () => {
    expect(decide({ b: "blank", c: "blank" })).toBe("new");
    expect(decide({ b: [other, neverRan], c: "blank" })).toBe("new");
  });

  test("waits for a silent one: its own data may be what was lost", () => {
    expect(decide({ b: "blank", c: null })).toBeNull();
    expect(decide({ b: [other, neverRan], c: null })).toBeNull();
    expect(decide({ b: null, c: null }, 3600)).toBeNull();
  });

  test("goes on without a silent one after a minute with a majority of blank ones", () => {
    expect(decide({ b: "blank", c: null }, 61)).toBe("new");
    expect(decide({ b: "blank", c: null, d: null, e: null }, 61)).toBeNull();
  });

  test("rejoins as soon as one says that it ran, whatever the others say", () => {
    expect(decide({ b: [other, ran], c: null })).toBe("rejoin");
    expect(decide({ b: [other, ran], c: "blank" })).toBe("rejoin");
  });

  test("joins when it is not known yet, and goes on where an earlier try was interrupted", () => {
    expect(decide({ b: [other], c: null })).toBe("rejoin");
    expect(decide({ b: [other, added], c: null })).toBe("join");
  });
});
