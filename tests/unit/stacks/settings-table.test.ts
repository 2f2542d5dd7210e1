import * as fs from "node:fs";
import * as path from "node:path";
import { settingsTable } from "../../../stacks/settings-table";

const README = path.join(__dirname, "../../../README.md");
const MARKS = /(<!-- settings: .* -->\n)[^]*(<!-- \/settings -->)/;

test("the README's settings table is what the schema says (make golden writes it)", () => {
  const text = fs.readFileSync(README, "utf8");
  const wanted = text.replace(MARKS, (_, begin: string, end: string) => `${begin}${settingsTable()}${end}`);
  if (process.env["UPDATE_GOLDENS"]) fs.writeFileSync(README, wanted);
  else expect(text).toBe(wanted);
  expect(text).toMatch(MARKS);
});
