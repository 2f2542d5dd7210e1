import { withCitus } from "../support/citus";
import { stack } from "./cluster";

/** KEEP_STACK=1 leaves the stack up, to look at what a test left behind. */
export default async function teardown(): Promise<void> {
  if (withCitus && !process.env["KEEP_STACK"]) await stack.remove();
}
