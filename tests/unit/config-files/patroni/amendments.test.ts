import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(__dirname, "../../../../config-files/patroni/scripts/amendments");

describe("the files of the amendments of Patroni (H1)", () => {
  const files = readdirSync(FOLDER).filter((name) => /^[a-z]\w*\.py$/.test(name));

  test.each(files)("%s says why it is, what there is of it upstream, and what it was written for", (name) => {
    const [, docstring = "", code = ""] =
      /^"""(.*?)"""(.*)$/s.exec(readFileSync(join(FOLDER, name), "utf8")) ?? [];
    expect(docstring).toMatch(/\n\nUpstream: [^]+/);
    expect(code).toMatch(/"patroni[\w.]*:[\w.]+"(?:: |, )"[0-9a-f]{16}"/);
  });
});
