import { dirname } from "node:path";
import { type Invocation, PROJECT } from "../../commands/programs";
import { Account } from "./account";
import { NAMESPACE, removeBystander, startBystander } from "./bystander";
import { kubectl } from "./kubectl";

/** What a program of this project finds in its environment; the rest is this machine's. */
const PASSED_ON = /^(PATH|NODE_OPTIONS|KUBECTL|PULUMI_.*)$/;

/** An account that may do what docs/kubernetes.md says that `up` needs. */
export class Deployer extends Account {
  constructor(name: string, folder: string) {
    super(name, "kubernetes-deployer.yaml", folder);
  }

  /**
   * Runs a program of this project in a pod of the one-node Kubernetes, as a runner there would: no kubeconfig, the account is the pod's own,
   * and names are the cluster's. It may not forward ports, so its SQL goes straight to the members or nowhere. `programs` is where kubectl is,
   * in the folder of what this project has got for this machine.
   */
  async runInside(image: string, programs: string, { program, args, env }: Invocation): Promise<void> {
    const folders = [PROJECT, dirname(dirname(programs))];
    const variables = Object.entries({ ...env, KUBECTL: `${programs}/kubernetes kubectl` }).filter(([name]) =>
      PASSED_ON.test(name),
    );
    try {
      await this.allow("pods/portforward");
      await startBystander(this.name, image, {
        container: {
          securityContext: { runAsUser: 0 },
          volumeMounts: folders.map((mountPath, i) => ({ name: `folder-${i}`, mountPath })),
        },
        spec: {
          serviceAccountName: this.name,
          volumes: folders.map((path, i) => ({ name: `folder-${i}`, hostPath: { path } })),
        },
      });
      await kubectl([
        ...["exec", this.name, "--namespace", NAMESPACE, "--", "env"],
        ...variables.map(([name, value]) => `${name}=${value}`),
        // What it says is told when it fails, and that is what comes on the standard error.
        ...["sh", "-c", 'exec "$@" >&2', "sh", program, ...args],
      ]);
    } finally {
      await removeBystander(this.name);
      await this.allow();
    }
  }
}
