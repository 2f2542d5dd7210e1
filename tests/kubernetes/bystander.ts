import { kubectl } from "./kubectl";

/** Of pods that are no stack's. */
export const NAMESPACE = "default";

/** Starts a pod beside all stacks that waits to be told what to run; `container` and `spec` are what else it has. */
export async function startBystander(
  name: string,
  image: string,
  { container, spec }: { readonly container?: object; readonly spec?: object } = {},
): Promise<void> {
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: { name, namespace: NAMESPACE },
    spec: {
      ...{ restartPolicy: "Never", terminationGracePeriodSeconds: 0 },
      ...spec,
      containers: [{ name: "bystander", image, command: ["sleep", "infinity"], ...container }],
    },
  };
  await kubectl(["apply", "--filename=-"], JSON.stringify(pod));
  await kubectl([
    ...["wait", "pod", name, "--namespace", NAMESPACE],
    ...["--for=condition=Ready", "--timeout=120s"],
  ]);
}

export const removeBystander = (name: string): Promise<string> =>
  kubectl(["delete", "pod", name, "--namespace", NAMESPACE, "--ignore-not-found"]);
