import { compareSync } from "bcryptjs";
import { randomProvider, randomString } from "../random/provider";

test("a password has the length, the characters and the minima that were asked for", () => {
  for (let i = 0; i < 200; i++) {
    const text = randomString({
      length: 12,
      overrideSpecial: "-_",
      minSpecial: 3,
      minNumeric: 2,
      minUpper: 1,
      lower: false,
    });
    expect(text).toMatch(/^[A-Z0-9_-]{12}$/);
    expect(text.replace(/[^_-]/g, "").length).toBeGreaterThanOrEqual(3);
    expect(text.replace(/\D/g, "").length).toBeGreaterThanOrEqual(2);
  }
  expect(randomString({ length: 40, special: false, numeric: false, upper: false })).toMatch(/^[a-z]{40}$/);
});

test("impossible wishes are refused", async () => {
  const provider = randomProvider("random:index/randomPassword:RandomPassword");
  const problem = async (inputs: Record<string, never>) =>
    (await provider.check({ urn: "", type: "", name: "" }, inputs)).failures[0]?.reason;
  expect(await problem({ length: 3, minUpper: 2, minSpecial: 2 } as never)).toBe(
    "length is 3, but the minima add up to 4",
  );
  expect(
    await problem({ length: 3, upper: false, lower: false, numeric: false, special: false } as never),
  ).toBe("no kind of character is allowed");
  expect(await problem({ length: 3 } as never)).toBeUndefined();
});

test("outputs are those of the real provider", async () => {
  const provider = randomProvider("random:index/randomPassword:RandomPassword");
  const running = { urn: "", type: "", name: "", status: () => undefined, timeoutSeconds: undefined };
  const { id, outputs } = await provider.create(running, { length: 8, minUpper: 2 });
  expect(id).toBe("none");
  expect(outputs).toEqual({
    __meta: '{"schema_version":"3"}',
    bcryptHash: expect.stringMatching(/^\$2a\$10\$.{53}$/),
    id: "none",
    length: 8,
    lower: true,
    minLower: 0,
    minNumeric: 0,
    minSpecial: 0,
    minUpper: 2,
    number: true,
    numeric: true,
    result: expect.stringMatching(/^.{8}$/),
    special: true,
    upper: true,
  });
  expect(compareSync(outputs["result"] as string, outputs["bcryptHash"] as string)).toBe(true);
});
