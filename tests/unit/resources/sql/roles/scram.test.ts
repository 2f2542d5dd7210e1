import { matchesVerifier, scramVerifier } from "../../../../../components/resources/sql/roles/scram";

/** RFC 7677, section 3: user "user", password "pencil". PostgreSQL 17 stores the same for this salt. */
const RFC_SALT = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");

describe("SCRAM verifiers", () => {
  it("are what the RFC's example leads to", () => {
    expect(scramVerifier("pencil", RFC_SALT)).toBe(
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
    );
  });

  it("differ each time and match their password only", () => {
    const stored = scramVerifier("secret");
    expect(scramVerifier("secret")).not.toBe(stored);
    expect(matchesVerifier("secret", stored)).toBe(true);
    expect(matchesVerifier("Secret", stored)).toBe(false);
    expect(matchesVerifier("secret", scramVerifier("secret", RFC_SALT, 10_000))).toBe(true);
  });

  it("do not match what is no verifier", () => {
    expect(matchesVerifier("secret", null)).toBe(false);
    expect(matchesVerifier("secret", "md5d41d8cd98f00b204e9800998ecf8427e")).toBe(false);
  });
});
