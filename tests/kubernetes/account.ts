import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { PROJECT } from "../../commands/programs";
import { NAMESPACE } from "./bystander";
import { kubectl } from "./kubectl";

const HOURS = 4;

/** The text of a kubeconfig whose API server does not answer. */
export const NOWHERE = JSON.stringify({
  clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
  contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
  users: [{ name: "u", user: { token: "t" } }],
  "current-context": "c",
});

interface ClusterRole {
  readonly metadata: { readonly name: string };
  readonly rules: readonly { readonly resources: readonly string[] }[];
}

/** An account of the cluster that has the rights of a ClusterRole in docs/, and nothing else. Account, role and binding have its name. */
export class Account {
  /** In which the account itself lies. */
  readonly namespace = NAMESPACE;
  private readonly kubeconfig: string;

  /**
   * @param name that of the account
   * @param role a file in docs/, as users are given it
   * @param folder the place of its kubeconfig
   * @param within the namespace in which it has the rights; undefined: in all
   */
  constructor(
    protected readonly name: string,
    private readonly role: string,
    folder: string,
    private readonly within?: string,
  ) {
    this.kubeconfig = join(folder, `${name}.kubeconfig`);
  }

  /** Gives it the rights of the docs, `but` those on one kind of resource. */
  protected async allow(but?: string): Promise<void> {
    const role = parse(readFileSync(join(PROJECT, "docs", this.role), "utf8")) as ClusterRole;
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
      kind: this.within === undefined ? "ClusterRoleBinding" : "RoleBinding",
      metadata: { name: this.name, ...(this.within !== undefined && { namespace: this.within }) },
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

  async remove(): Promise<void> {
    const binding =
      this.within === undefined ? ["clusterrolebinding"] : ["rolebinding", "--namespace", this.within];
    await kubectl(["delete", ...binding, this.name, "--ignore-not-found"]);
    await kubectl(["delete", "serviceaccount", this.name, "--namespace", NAMESPACE, "--ignore-not-found"]);
    await kubectl(["delete", "clusterrole", this.name, "--ignore-not-found"]);
    rmSync(this.kubeconfig, { force: true });
  }
}
