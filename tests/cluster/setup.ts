import { TestStack } from "../support/stack";

/** Brings the suites' stack up once, from nothing; every suite leaves it whole. */
export default async function setup(): Promise<void> {
  const stack = new TestStack();
  const started = Date.now();
  const output = await stack.start();
  console.log(
    `\nup from nothing, images included: ${((Date.now() - started) / 1000).toFixed(1)} s\n${output.split("\n").slice(-12).join("\n")}`,
  );
  await stack.prepareWrites();
}
