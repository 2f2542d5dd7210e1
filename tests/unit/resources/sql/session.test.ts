import {
  isWorthRetrying,
  secretiveStatements,
  sqlState,
  withSession,
} from "../../../../components/resources/sql/session";

const error = (code?: string, more: object = {}) => Object.assign(new Error("x"), { code }, more);

describe("errors of a session", () => {
  it("are told apart by SQLSTATE", () => {
    expect(sqlState(error("42P04"))).toBe("42P04");
    expect(sqlState(error("ECONNREFUSED"))).toBeUndefined();
    expect(sqlState(error())).toBeUndefined();
  });

  it("are worth another try when the connection or the primary was lost", () => {
    for (const code of ["08006", "57P01", "57P02", "57P03", "25006", "53300"])
      expect(isWorthRetrying(error(code))).toBe(true);
    expect(isWorthRetrying(error("ECONNRESET", { connectionLost: true }))).toBe(true);
  });

  it("are not when the server refused the work, or the work itself is wrong", () => {
    for (const code of ["28P01", "42501", "42P01", "57014", "3D000"])
      expect(isWorthRetrying(error(code))).toBe(false);
    expect(isWorthRetrying(new TypeError("undefined is not a function"))).toBe(false);
  });
});

describe("withSession", () => {
  const target = { members: [], user: "u", password: "p", database: "d", ca: "PEM" };

  it("refuses a member that there is not", async () => {
    await expect(withSession({ ...target, role: "pg-9" }, () => Promise.resolve())).rejects.toThrow(
      'there is no member "pg-9"',
    );
  });

  it("keeps a secretive session's statements out of log and statistics", () => {
    expect(secretiveStatements()).toEqual([
      "SET log_statement = 'none'",
      "SET log_min_duration_statement = -1",
      "SET log_min_error_statement = 'panic'",
      "SET pg_stat_statements.track = 'none'",
    ]);
  });
});
