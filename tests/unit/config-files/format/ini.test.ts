import { ini, iniSettings } from "../../../../config-files/format/ini";

describe("ini", () => {
  test("sections, comments, includes and settings", () => {
    expect(
      ini([
        { lines: [{ include: "/run/pgbouncer/databases.ini" }] },
        {
          name: "pgbouncer",
          lines: [
            { comment: "why" },
            ...iniSettings({ a: 1, b: "x y", c: undefined, d: "" }),
            "",
            { key: "*", value: "z" },
          ],
        },
      ]),
    ).toBe("%include /run/pgbouncer/databases.ini\n\n[pgbouncer]\n; why\na = 1\nb = x y\nd =\n\n* = z\n");
  });

  test("a line break cannot smuggle in another setting", () => {
    expect(() => ini([{ name: "a", lines: [{ key: "b", value: "1\nauth_type = any" }] }])).toThrow(
      "b must be a single line",
    );
    expect(() => ini([{ name: "a", lines: [{ key: "b = c", value: 1 }] }])).toThrow(
      "must be the name of a setting",
    );
  });
});
