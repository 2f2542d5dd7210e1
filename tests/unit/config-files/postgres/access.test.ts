import { type GroupKind, hbaLines, hbaOf, identLines } from "../../../../config-files/postgres/access";
import { hbaLine } from "../../../../config-files/postgres/hba";
import { identLine, identToAnybody } from "../../../../config-files/postgres/ident";
import { expectGolden } from "../../../support/golden";

const KINDS: readonly GroupKind[] = ["alone", "coordinator", "worker"];

describe.each(KINDS)("access to PostgreSQL, group of kind %s", (kind) => {
  const hba = hbaOf(kind);
  const folder = kind === "alone" ? "config-files/postgres" : `config-files/postgres/${kind}`;

  test("pg_hba.conf and pg_ident.conf", () => {
    expectGolden(`${folder}/pg_hba.conf`, hbaLines(kind).join("\n") + "\n");
    expectGolden(`${folder}/pg_ident.conf`, identLines(kind).join("\n") + "\n");
  });

  test("over the network everybody needs TLS and proves who they are, passwords by SCRAM", () => {
    const network = hba.filter((line) => line.via !== "local");
    expect(new Set(network.map((line) => line.via))).toEqual(new Set(["hostssl"]));
    expect(new Set(network.map((line) => line.method))).toEqual(new Set(["cert", "scram-sha-256"]));
  });

  test("nobody logs in without proof", () => {
    expect(hbaLines(kind).join("\n")).not.toMatch(/trust|password|md5|ident$/);
  });

  test("the superuser's password is good on this machine only", () => {
    const superuser = hba.filter((line) => line.via === "hostssl" && line.user === "postgres");
    expect(superuser.map((line) => [line.address, line.method])).toEqual([
      ["127.0.0.1/32", "scram-sha-256"],
      ["::1/128", "scram-sha-256"],
      [undefined, "cert"],
    ]);
  });

  test("where up goes straight to members, it is good from there, too", () => {
    const superuser = hbaLines(kind, { directFrom: ["10.20.0.0/16"] }).filter((line) =>
      line.startsWith("hostssl all postgres"),
    );
    expect(superuser.slice(1, 4)).toEqual([
      "hostssl all postgres ::1/128 scram-sha-256",
      "hostssl all postgres 10.20.0.0/16 scram-sha-256",
      "hostssl all postgres all cert map=nodes",
    ]);
  });

  test("lines for single users stand before those for all, which would catch them", () => {
    const all = hba.findIndex((line) => line.via === "hostssl" && line.user === "all");
    expect(hba.slice(all).map((line) => line.user)).toEqual(hba.slice(all).map(() => "all"));
  });

  test("every map that a line names has entries", () => {
    const maps = hba.flatMap((line) => (line.map === undefined ? [] : [line.map]));
    expect(new Set(maps)).toEqual(new Set(identLines(kind).map((line) => line.split(" ")[0])));
  });
});

test("no password opens a worker: its applications come through the coordinator, by the node certificate (D9)", () => {
  const others = hbaOf("worker").filter((line) => line.via === "hostssl" && line.user === "all");
  expect(others).toEqual([{ via: "hostssl", database: "all", user: "all", method: "cert", map: "citus" }]);
  expect(identLines("worker")).toContain(identToAnybody("citus", "cluster-node"));
});

describe("a line of pg_hba.conf", () => {
  test("reads as the sentence it means", () => {
    expect(
      hbaLine({
        via: "hostssl",
        database: ["app", "replication"],
        user: "my user",
        address: "10.0.0.0/8",
        method: "cert",
        map: "m",
      }),
    ).toBe('hostssl app,replication "my user" 10.0.0.0/8 cert map=m');
  });

  test.each([
    [
      { via: "local", database: "all", user: "all", address: "all", method: "peer" } as const,
      "a Unix socket has no address",
    ],
    [{ via: "hostssl", database: "all", user: "all", method: "peer" } as const, "needs a Unix socket"],
    [{ via: "local", database: "all", user: "all", method: "cert" } as const, "needs TLS"],
    [{ via: "local", database: "all", user: 'x" trust', method: "peer" } as const, "must be a name"],
    [{ via: "local", database: "all", user: "x\nhost", method: "peer" } as const, "must be a name"],
  ])("%j is refused", (line, message) => {
    expect(() => hbaLine(line)).toThrow(message);
  });
});

describe("a line of pg_ident.conf", () => {
  test.each(["all", "/.*", "+role", "", "a b"])(
    "%j is refused: it would let in more than one",
    (systemUser) => {
      expect(() => identLine({ map: "m", systemUser, role: "r" })).toThrow("must be a single name");
    },
  );
});
