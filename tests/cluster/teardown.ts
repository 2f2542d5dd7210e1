import { TestStack } from "../support/stack";

/** KEEP_STACK=1 leaves the stack up, to look at what a test left behind. */
export default async function teardown(): Promise<void> {
  if (process.env["KEEP_STACK"]) return;
  await new TestStack().remove();
}
