import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { type Invocation, PROJECT } from "../../commands/programs";
import { kubectl } from "./kubectl";
import { NAMESPACE, removeBystander, startBystander } from "./bystander";

/** As the docs give it to users. */
const ROLE = join(PROJECT, "docs/kubernetes-deployer.yaml");
const HOURS = 4;
/** What a program of this project finds in its environment; the rest is this machine's. */
const PASSED_ON = /^(PATH|NODE_OPTIONS|KUBECTL|PULUMI_.*)$/;

interface ClusterRole {
  readonly metadata: { readonly name: string };
  readonly rules: readonly { readonly resources: readonly string[] }[];
}

/** An account of the cluster that may do what docs/kubernetes.md says that `up` needs, and nothing else. Account and role have its name. */
export class Deployer {
  private readonly kubeconfig: string;

  /** `name` is that of the account, `folder` the place of its kubeconfig. */
  constructor(
    private readonly name: string,
    folder: string,
  ) {
    this.kubeconfig = join(folder, "deployer.kubeconfig");
  }

  /** Gives it the rights of the docs, `but` those on one kind of resource. */
  private async allow(but?: string): Promise<void> {
    const role = parse(readFileSync(ROLE, "utf8")) as ClusterRole;
    const rules = role.rules.filter(({ resources }) => but === undefined || !resources.includes(but));
    await kubectl(
      ["apply", "--filename=-"],
      JSON.stringify({ ...role, metadata: { name: this.name }, rules }),
    );
  }

  /** Makes the account; resolves with the environment of a program that is to run as it. */
  async create(): Promise<NodeJS.ProcessEnv> {
    await this.allow();
    const binding = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: this.name },
      roleRef: {
        ...{ apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole" },
        name: this.name,
      },
      subjects: [{ kind: "ServiceAccount", name: this.name, namespace: NAMESPACE }],
    };
    const account = {
      ...{ apiVersion: "v1", kind: "ServiceAccount" },
      metadata: { name: this.name, namespace: NAMESPACE },
    };
    for (const object of [account, binding]) await kubectl(["apply", "--filename=-"], JSON.stringify(object));
    const token = await kubectl([
      "create",
      "token",
      this.name,
      `--duration=${HOURS}h`,
      "--namespace",
      NAMESPACE,
    ]);
    const config = JSON.parse(
      await kubectl(["config", "view", "--raw", "--minify", "--flatten", "--output=json"]),
    ) as { users: unknown; contexts: { context: { user: string } }[] };
    const user = config.contexts[0]?.context.user;
    config.users = [{ name: user, user: { token: token.trim() } }];
    writeFileSync(this.kubeconfig, JSON.stringify(config), { mode: 0o600 });
    return {
      KUBECONFIG: this.kubeconfig,
      KUBECTL: `${process.env["KUBECTL"] ?? "kubectl"} --kubeconfig=${this.kubeconfig}`,
    };
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

  async remove(): Promise<void> {
    await kubectl(["delete", "clusterrolebinding", this.name, "--ignore-not-found"]);
    await kubectl(["delete", "serviceaccount", this.name, "--namespace", NAMESPACE, "--ignore-not-found"]);
    await kubectl(["delete", "clusterrole", this.name, "--ignore-not-found"]);
    rmSync(this.kubeconfig, { force: true });
  }
}
