import * as fs from "node:fs";
import * as path from "node:path";
import { networkTable } from "../../../stacks/network-table";
import { recordStack } from "../../support/specs";

const FILE = path.join(__dirname, "../../../docs/network.md");
const MARKS = /(<!-- network: .* -->\n)[^]*(<!-- \/network -->)/;

test("the table of who talks to whom is what the network policies are made of (make golden writes it)", async () => {
  const { specs } = await recordStack("prod", true);
  const table = networkTable(specs.filter(({ name }) => name !== "worker-2"));
  const text = fs.readFileSync(FILE, "utf8");
  const wanted = text.replace(MARKS, (_, begin: string, end: string) => `${begin}${table}${end}`);
  if (process.env["UPDATE_GOLDENS"]) fs.writeFileSync(FILE, wanted);
  else expect(text).toBe(wanted);
  expect(text).toMatch(MARKS);
});
