import { capture } from "../../commands/engine";
import { kubectl } from "./applier";
import { canHave, type KubernetesStack, ours, TOOL, withKubernetes } from "./cluster";

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

/** A pod, and where it is. */
export interface Place {
  readonly namespace: string;
  readonly pod: string;
  readonly address: string;
}

/** Where a workload's members are. */
export async function placesOf(stack: KubernetesStack, workload: string): Promise<readonly Place[]> {
  const addresses = await stack.kubectl(
    ...[
      "get",
      "pods",
      "--selector",
      `app.kubernetes.io/instance=${stack.cluster},app.kubernetes.io/name=${workload}`,
    ],
    ...["--output", 'jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{"\\n"}{end}'],
  );
  return addresses
    .trim()
    .split("\n")
    .map((line) => {
      const [pod = "", address = ""] = line.split(" ");
      return { namespace: stack.namespace, pod, address };
    });
}

/** A pod that is not of the stack, in another namespace; `image` is any that has a shell. */
export async function startStranger(pod: string, image: string): Promise<Omit<Place, "address">> {
  const namespace = "default";
  const spec = {
    ...{ terminationGracePeriodSeconds: 0, restartPolicy: "Never" },
    containers: [{ name: "stranger", image, command: ["sleep", "infinity"] }],
  };
  await kubectl(
    ["apply", "--filename=-"],
    JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: pod, namespace }, spec }),
  );
  await kubectl(["wait", "pod", pod, "--namespace", namespace, "--for=condition=Ready", "--timeout=120s"]);
  return { namespace, pod };
}

export const removeStranger = (pod: string): Promise<string> =>
  kubectl(["delete", "pod", pod, "--namespace", "default", "--ignore-not-found"]);

export interface Target {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Which targets a pod can connect to, tried from inside it, all at once. */
export async function reachedFrom(
  { namespace, pod }: Omit<Place, "address">,
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
