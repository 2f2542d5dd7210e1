import { rmSync } from "node:fs";
import { dirname } from "node:path";

export default function teardown(): void {
  const file = process.env["PROVIDER_TEXTS"];
  if (file !== undefined) rmSync(dirname(file), { recursive: true });
}
