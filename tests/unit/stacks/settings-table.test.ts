import * as fs from "node:fs";
import * as path from "node:path";
import { sentences } from "../../../components/settings/sentences";
import { settingsTable } from "../../../components/settings/table";
import { dev } from "../../../stacks/dev";
import { prod } from "../../../stacks/prod";
import { SETTINGS_SCHEMA } from "../../../stacks/settings";

const ROOT = path.join(__dirname, "../../..");
const README = path.join(ROOT, "README.md");
const MARKS = /(<!-- settings: .* -->\n)[^]*(<!-- \/settings -->)/;

test("the README's settings table is what the declarations say (make golden writes it)", () => {
  const table = settingsTable(SETTINGS_SCHEMA, {
    sentences: sentences(path.join(ROOT, "stacks/settings.ts"), "StackSettings"),
    environments: { dev: dev.defaults, prod: prod.defaults },
  });
  const text = fs.readFileSync(README, "utf8");
  const wanted = text.replace(MARKS, (_, begin: string, end: string) => `${begin}${table}${end}`);
  if (process.env["UPDATE_GOLDENS"]) fs.writeFileSync(README, wanted);
  else expect(text).toBe(wanted);
  expect(text).toMatch(MARKS);
});
