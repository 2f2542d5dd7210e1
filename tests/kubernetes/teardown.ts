import { kubectl } from "./applier";
import { NAMESPACE, stack, withKubernetes } from "./cluster";

export default async function teardown(): Promise<void> {
  if (!withKubernetes || process.env["KEEP_STACK"]) return;
  await stack.run("state", "unprotect", "--all", "--yes");
  await stack.run("destroy", "--yes");
  await kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
}
