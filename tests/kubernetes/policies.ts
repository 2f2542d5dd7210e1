import { capture } from "../../commands/programs";
import { kubectl } from "./kubectl";
import { canHave, ours, TOOL, withKubernetes } from "./cluster";

/** The cluster of this machine can be given what enforces policies; of another one its owner says so. */
export const withPolicies =
  withKubernetes && (ours ? canHave("policies") : process.env["NETWORK_POLICIES"] === "enforced");
if (withKubernetes && !withPolicies)
  console.log(
    "skipped: enforced network policies need Go to build kube-router, or NETWORK_POLICIES=enforced for a cluster of KUBECONFIG whose network does",
  );

export const enforcePolicies = async (): Promise<void> => {
  if (ours) await capture(TOOL, ["policies"]);
};
export const ignorePolicies = async (): Promise<void> => {
  if (ours) await capture(TOOL, ["no-policies"]);
};

export interface Target {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Which targets a pod can connect to, tried from inside it, all at once. */
export async function reachedFrom(
  namespace: string,
  pod: string,
  targets: readonly Target[],
): Promise<readonly string[]> {
  const tries = targets.map(
    ({ name, address, port }) =>
      `{ timeout 3 bash -c '</dev/tcp/${address}/${port}' && echo '${name}'; } 2>/dev/null &`,
  );
  const said = await kubectl([
    ...["exec", "--namespace", namespace, pod, "--"],
    ...["bash", "-c", [...tries, "wait"].join("\n")],
  ]);
  return said.split("\n").filter(Boolean).sort();
}
