import { withCitus } from "../support/citus";
import { prepare, stack, workers } from "./cluster";

/** Brings the suites' distributed stack up once, from nothing. */
export default async function setup(): Promise<void> {
  if (!withCitus) return;
  const started = Date.now();
  await stack.start(workers(2));
  console.log(`\ndistributed, up from nothing: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  await prepare();
}
