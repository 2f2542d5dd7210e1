import { execFileSync } from "node:child_process";
import { yaml, type YamlValue } from "../../../../config-files/format/yaml";

/** What readers of YAML 1.1 take for something else when it stands bare, and what breaks the syntax. */
const TREACHEROUS = [
  ..."on off yes No y n Y N true null Null ~ 12:30:00 1:30 190:20:30 2024-01-01 2024-01-01T10:00:00Z 0o17 017 0x1F 0b11 1_000".split(
    " ",
  ),
  ..."1e3 1.5e+3 1. .5 .inf -.inf .nan +1 -1 = << 685.230_15e+03 ? | > \\ 0 00 08 0.1 1,000 --- ... #a ,a a, :a a: a:b".split(
    " ",
  ),
  ..."' \" [a {a *a &a !a %a @a `a \u0085 é \u2028 \u0007 😀 \ufeff".split(" "),
  ...[
    "",
    " ",
    " a",
    "a ",
    "\t",
    "a: b",
    "a #b",
    "- a",
    "a\nb",
    "a\n",
    "a  b",
    "2024-01-01 10:00:00",
    "%m [%p] %q%u@%d ",
  ],
  "hostssl all all ::1/128 scram-sha-256",
  "/var/lib/postgresql/data",
];

const python = (text: string): unknown =>
  JSON.parse(
    execFileSync(
      "python3",
      ["-c", "import json,sys,yaml; json.dump(yaml.safe_load(sys.stdin.buffer.read()), sys.stdout)"],
      {
        input: text,
        encoding: "utf8",
      },
    ),
  ) as unknown;

const hasPyYaml = ((): boolean => {
  try {
    execFileSync("python3", ["-c", "import yaml"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe("YAML", () => {
  test("every text is quoted, whatever a reader of YAML 1.1 would take it for", () => {
    expect(yaml({ a: "on", b: "12:30", c: "=", plain: "scram-sha-256", on: "x y" })).toBe(
      'a: "on"\nb: "12:30"\nc: "="\nplain: "scram-sha-256"\n"on": "x y"\n',
    );
  });

  test("mappings and sequences nest, empty ones are written in a line, an undefined property is left out", () => {
    const value: YamlValue = {
      list: [{ a: 1, b: [2, [3]] }, "x", {}],
      none: undefined,
      empty: [],
      map: { deep: { er: null } },
    };
    expect(yaml(value, ["A heading"])).toBe(
      '# A heading\nlist:\n  - a: 1\n    b:\n      - 2\n      - - 3\n  - "x"\n  - {}\nempty: []\nmap:\n  deep:\n    er: null\n',
    );
  });

  test("long texts stay in their line", () => {
    const long = "word ".repeat(50);
    expect(yaml({ a: long })).toBe(`a: "${long}"\n`);
  });

  test("a number that YAML 1.1 would read as text is refused", () => {
    expect(() => yaml({ a: 1e21 })).toThrow("the number 1e+21 cannot be written as YAML 1.1");
    expect(() => yaml({ a: NaN })).toThrow("NaN");
  });

  (hasPyYaml ? test : test.skip)("every treacherous text comes back from Patroni's reader as it was", () => {
    const value = {
      values: TREACHEROUS,
      keys: TREACHEROUS.map((key) => ({ [key]: key })),
      numbers: [0, -5, 0.1, 100, 1048576, true, false, null],
    };
    expect(python(yaml(value))).toEqual(value);
  });
});
