import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callOf } from "../../../commands/call";
import { confirmed } from "../../../commands/confirm";
import {
  connectionString,
  endpointLines,
  passwordOf,
  type StackOutputs,
  writeAuthority,
} from "../../../commands/outputs";

const OUTPUTS: StackOutputs = {
  endpoints: { write: ["a:1", "b:2"], read: ["a:3"], statistics: ["a:4"] },
  ...{ database: "app", citus: "off", certificateAuthority: "PEM", certificatesExpire: {} },
  passwords: { app_readwrite: "secret" },
};

describe("what a stack's outputs are used for (S6)", () => {
  const state = mkdtempSync(join(tmpdir(), "outputs-"));
  afterAll(() => rmSync(state, { recursive: true }));
  const stack = { name: "prod", settings: "", state };

  test("clients are given every entry, and the authority that they verify", () => {
    expect(readFileSync(writeAuthority(stack, OUTPUTS), "utf8")).toBe("PEM");
    expect(connectionString(stack, OUTPUTS.endpoints.write, "app", "app_readwrite")).toMatch(
      /^host=a,b port=1,2 dbname=app user=app_readwrite sslmode=verify-full sslrootcert=\S+\/prod\/ca\.crt$/,
    );
    const lines = endpointLines(stack, OUTPUTS);
    expect(lines).toContain("PGPASSWORD=$(make -s password ROLE=app_readonly STACK=prod) psql");
    expect(lines).not.toContain("secret");
  });

  test("a role that is none is wrong usage, and the others are named", () => {
    expect(passwordOf(OUTPUTS, "app_readwrite")).toBe("secret");
    expect(() => passwordOf(OUTPUTS, "nobody")).toThrow(
      expect.objectContaining({
        exitCode: 2,
        message: 'ROLE is "nobody": it must be one of app_readwrite',
      }),
    );
  });

  test("what is asked first is answered by the cluster's name alone", async () => {
    const answered = (CONFIRM: string) => confirmed(callOf([], { CONFIRM }), "pg", "reset them");
    expect([await answered("pg"), await answered("yes")]).toEqual([true, false]);
  });
});
