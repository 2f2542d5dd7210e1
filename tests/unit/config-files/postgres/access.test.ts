import { HBA, hbaLines, identLines, IDENT } from "../../../../config-files/postgres/access";
import { hbaLine } from "../../../../config-files/postgres/hba";
import { identLine } from "../../../../config-files/postgres/ident";
import { expectGolden } from "../../../support/golden";

describe("access to PostgreSQL", () => {
  test("pg_hba.conf and pg_ident.conf", () => {
    expectGolden("config-files/postgres/pg_hba.conf", hbaLines().join("\n") + "\n");
    expectGolden("config-files/postgres/pg_ident.conf", identLines().join("\n") + "\n");
  });

  test("over the network everybody needs TLS and proves who they are, passwords by SCRAM", () => {
    const network = HBA.filter((line) => line.via !== "local");
    expect(new Set(network.map((line) => line.via))).toEqual(new Set(["hostssl"]));
    expect(new Set(network.map((line) => line.method))).toEqual(new Set(["cert", "scram-sha-256"]));
  });

  test("nobody logs in without proof", () => {
    expect(hbaLines().join("\n")).not.toMatch(/trust|password|md5|ident$/);
  });

  test("the superuser's password is good on this machine only", () => {
    const superuser = HBA.filter((line) => line.via === "hostssl" && line.user === "postgres");
    expect(superuser.map((line) => [line.address, line.method])).toEqual([
      ["127.0.0.1/32", "scram-sha-256"],
      ["::1/128", "scram-sha-256"],
      [undefined, "cert"],
    ]);
  });

  test("lines for single users stand before the line for all, which would catch them", () => {
    const all = HBA.findIndex((line) => line.via === "hostssl" && line.user === "all");
    expect(all).toBe(HBA.length - 1);
  });

  test("every map that a line names has entries", () => {
    const maps = HBA.flatMap((line) => (line.map === undefined ? [] : [line.map]));
    expect(new Set(maps)).toEqual(new Set(IDENT.map((line) => line.map)));
  });
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
    [{ via: "local", database: "all", user: 'x" trust', method: "peer" } as const, "not a name"],
    [{ via: "local", database: "all", user: "x\nhost", method: "peer" } as const, "not a name"],
  ])("%j is refused", (line, message) => {
    expect(() => hbaLine(line)).toThrow(message);
  });
});

describe("a line of pg_ident.conf", () => {
  test.each(["all", "/.*", "+role", "", "a b"])(
    "%j is refused: it would let in more than one",
    (systemUser) => {
      expect(() => identLine({ map: "m", systemUser, role: "r" })).toThrow("not a single name");
    },
  );
});
