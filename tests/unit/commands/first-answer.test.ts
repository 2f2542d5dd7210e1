import { firstAnswer } from "../../../commands/first-answer";

describe("a group is asked by way of a member that answers (H4)", () => {
  const never = new Promise<string>(() => undefined);
  const asked: string[] = [];
  const ask = (answers: Readonly<Record<string, Promise<string>>>) => (name: string) => {
    asked.push(name);
    return answers[name] ?? never;
  };
  const failed = (text: string): Promise<string> => Promise.reject(new Error(text));
  beforeEach(() => void asked.splice(0));

  test("one that answers is the only one that is asked", async () => {
    expect(await firstAnswer(["a", "b"], ask({ a: Promise.resolve("A") }))).toBe("A");
    expect(asked).toEqual(["a"]);
  });

  test("one that is silent, as it is when it is cut off, keeps nobody waiting", async () => {
    expect(await firstAnswer(["a", "b", "c"], ask({ c: Promise.resolve("C") }), 1)).toBe("C");
    expect(asked).toEqual(["a", "b", "c"]);
  });

  test("after one that fails the next is asked at once", async () => {
    expect(await firstAnswer(["a", "b"], ask({ a: failed("no"), b: Promise.resolve("B") }), 60_000)).toBe(
      "B",
    );
  });

  test("when all fail, it is said why the first did", async () => {
    const asking = firstAnswer(["a", "b"], ask({ a: failed("no etcd"), b: failed("gone") }), 60_000);
    await expect(asking).rejects.toThrow("no etcd");
  });
});
