import { resolve } from "node:path";
import { PINS, ROLE_PINS, sessionOptions, SUPERUSER_PINS } from "../../../../config-files/postgres/pins";
import { findSetting, isValid } from "../../../../config-files/postgres/settings";
import { callPython } from "../../../support/python";

const SCRIPT = resolve(__dirname, "../../../../config-files/patroni/scripts/pins.py");

describe("what the system's own sessions pin", () => {
  it("are parameters of PostgreSQL that a session may set, with values that it takes", () => {
    for (const [name, value] of Object.entries(SUPERUSER_PINS)) {
      const setting = findSetting(name);
      expect([name, setting?.change, setting && isValid(setting, value)]).toEqual([name, "reload", true]);
    }
    // At a role, a list that is given as one text would be one name.
    expect(Object.keys(ROLE_PINS).filter((name) => /libraries|search_path/.test(name))).toEqual([]);
  });

  it("is the same for scripts in the image and for providers", () => {
    expect(callPython(SCRIPT, "options", [[PINS], [SUPERUSER_PINS]])).toEqual([
      sessionOptions(PINS),
      sessionOptions(SUPERUSER_PINS),
    ]);
    expect(callPython(SCRIPT, "pins", [["postgres"], ["replicator"]])).toEqual([SUPERUSER_PINS, PINS]);
  });

  it("is written as libpq reads it, with escaped spaces", () => {
    expect(sessionOptions({ search_path: '"$user", public', a: "b\\c" })).toBe(
      String.raw`-c search_path="$user",\ public -c a=b\\c`,
    );
  });
});
