import { haproxy, haproxyWord } from "../../../../config-files/format/haproxy";

describe("haproxy.cfg", () => {
  test("sections with indented lines, and a line break at the end, which HAProxy demands", () => {
    expect(
      haproxy(
        [
          { head: "global", lines: ["maxconn 10", "", "# why"] },
          { head: "frontend a", lines: ["bind :1"] },
        ],
        ["The entry"],
      ),
    ).toBe("# The entry\n\nglobal\n    maxconn 10\n\n    # why\n\nfrontend a\n    bind :1\n");
  });

  test("words are quoted where HAProxy would split or expand them", () => {
    expect(["plain-1.2:3/x", "a b", "it's", "$HOME", 'a"b', "a#b", "a\\b"].map(haproxyWord)).toEqual([
      "plain-1.2:3/x",
      "'a b'",
      `'it'\\''s'`,
      "'$HOME'",
      `'a"b'`,
      "'a#b'",
      "'a\\b'",
    ]);
  });

  test("a line break cannot smuggle in another directive", () => {
    expect(() => haproxy([{ head: "global", lines: ["a\nuser root"] }])).toThrow("single line");
    expect(() => haproxyWord("a\nb")).toThrow("single line");
  });
});
