import {
  quoteIdentifier,
  quoteIdentifiers,
  quoteLiteral,
  quoteSetting,
} from "../../../../components/resources/sql/quote";

describe("quoting", () => {
  it("makes no name a keyword and lets none end the statement", () => {
    expect(quoteIdentifier("user")).toBe('"user"');
    expect(quoteIdentifier('a"; DROP TABLE x; --')).toBe('"a""; DROP TABLE x; --"');
    expect(quoteIdentifiers(["a", 'b"'])).toBe('"a", "b"""');
  });

  it("keeps quotes and backslashes in literals", () => {
    expect(quoteLiteral("it's")).toBe("'it''s'");
    expect(quoteLiteral("a\\'b")).toBe("E'a\\\\''b'");
  });

  it("quotes both parts of an extension's setting", () => {
    expect(quoteSetting("work_mem")).toBe('"work_mem"');
    expect(quoteSetting("pgaudit.log")).toBe('"pgaudit"."log"');
  });
});
