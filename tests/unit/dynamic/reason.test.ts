import { isProgramError, messageOf, reasonOf } from "../../../components/dynamic/reason";
import { waitUntil } from "../../../components/dynamic/wait-until";

/** What Node.js itself says of a mistake: its errors are not those of a test's own context. */
const mistake = (): Error => {
  try {
    return (undefined as unknown as { bind(): Error }).bind();
  } catch (error) {
    return error as Error;
  }
};

describe("what an error says", () => {
  test.each([
    ["an Error", new Error("refused"), "refused"],
    ["a text", "refused", "refused"],
    ["nothing", undefined, "undefined"],
    ["the event of a WebSocket", { type: "error", message: "socket hang up", error: {} }, "socket hang up"],
    [
      "several at once",
      new AggregateError([new Error("refused"), new Error("no route")]),
      "refused; no route",
    ],
    ["a code alone", Object.assign(new Error(""), { code: "ECONNRESET" }), "Error ECONNRESET"],
    ["an object", { headers: { authorization: "secret" } }, "Object without a message"],
  ])("%s", (_what, error, said) => expect(messageOf(error)).toBe(said));
});

describe("a mistake of the program is no reason to wait", () => {
  test.each([
    ["a property of nothing", mistake()],
    ["an argument that Node.js refuses", new RangeError("Port should be < 65536")],
    [
      "an error of Node.js with a code",
      Object.assign(new TypeError("not a string"), { code: "ERR_INVALID_ARG_TYPE" }),
    ],
  ])("%s ends it at once, and says where it was made", async (_what, error) => {
    const began = Date.now();
    const wait = waitUntil({ what: "it leads", deadlineSeconds: 600 }, () => Promise.reject(error));
    await expect(wait).rejects.toThrow(
      `${error.name}: ${error.message} (${/at (.*)/.exec(error.stack ?? "")?.[1]}). This is a bug in the program`,
    );
    expect(Date.now() - began).toBeLessThan(5_000);
  });

  test("however many had to do with it on the way", () => {
    const thrown = (): unknown => {
      try {
        return reasonOf(mistake());
      } catch (error) {
        return error;
      }
    };
    const first = thrown();
    expect(() => reasonOf(first)).toThrow(first as Error);
  });

  test.each([
    ["a refused connection", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })],
    ["an answer that is no JSON", new SyntaxError("Unexpected token <")],
    ["the event of a WebSocket", { message: "socket hang up" }],
  ])("%s is none", async (_what, error) => {
    expect(isProgramError(error)).toBe(false);
    let looks = 0;
    const rejected = jest.fn().mockRejectedValue(error);
    const look = async () => {
      looks += 1;
      await Promise.resolve();
      return looks < 2 ? rejected() : { done: true as const, value: looks };
    };
    expect(await waitUntil({ what: "it leads", deadlineSeconds: 60, intervalMs: 1 }, look)).toBe(2);
  });
});
