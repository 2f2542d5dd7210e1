import { configure, provideImages, stack, withKubernetes } from "./cluster";

/** Brings the suites' stack up once, from nothing. */
export default async function setup(): Promise<void> {
  if (!withKubernetes) return;
  await provideImages();
  configure();
  const started = Date.now();
  await stack.up();
  console.log(`\non Kubernetes, up from nothing: ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
