import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { captured } from "../../commands/programs";
import { pulumiCli } from "../../commands/pulumi-cli";
import { claimCommands } from "../support/command-claims";
import { Operator } from "../support/commands";
import { eventually } from "../support/stack";
import { Account, NOWHERE } from "./account";
import { KubernetesStack, SMALL, withKubernetes } from "./cluster";
import { kubectl } from "./kubectl";

const stack = new KubernetesStack("kube-commands", SMALL);
/** Has the rights of the docs for operators, in this namespace alone. */
const account = new Account(
  `${stack.cluster}-operator`,
  "kubernetes-operator.yaml",
  stack.folder,
  stack.namespace,
);
let operator: Operator;
const nowhere = join(stack.folder, "nowhere.kubeconfig");

(withKubernetes ? describe : describe.skip)(
  "operators' commands on Kubernetes, with an operator's rights alone (S6, C4)",
  () => {
    beforeAll(async () => {
      await stack.start();
      operator = new Operator(stack, await account.create());
      writeFileSync(nowhere, NOWHERE);
    });
    afterAll(async () => {
      await account.remove();
      if (!process.env["KEEP_STACK"]) await stack.remove();
    });

    claimCommands(() => ({
      ...{ stack, operator },
      databases: ["patroni"],
      parts: [
        ...[/^Kubernetes$/, /^disruption budgets$/, /^claims$/, /^network policies$/, /^events$/],
        ...[/^write pg-kube-commands-haproxy-0$/, /^read pg-kube-commands-haproxy-1$/],
      ],
      unreachable: { KUBECONFIG: nowhere },
    }));

    test("its rights end at the namespace, and secrets and changes are not among them", async () => {
      const as = `system:serviceaccount:${account.namespace}:${stack.cluster}-operator`;
      const may = (...what: string[]): Promise<boolean> =>
        kubectl(["auth", "can-i", ...what, "--as", as]).then(
          () => true,
          () => false,
        );
      const here = ["--namespace", stack.namespace];
      expect(await may("list", "pods", ...here)).toBe(true);
      for (const [verb, resource] of [
        ["get", "secrets"],
        ["delete", "pods"],
        ["patch", "statefulsets.apps"],
        ["create", "pods"],
      ] as const)
        expect(await may(verb, resource, ...here)).toBe(false);
      expect(await may("list", "pods", "--namespace", "default")).toBe(false);
    });

    test("a kubeconfig that is a secret of the stack's settings is the one that is asked (D9)", async () => {
      const folder = join(stack.folder, "with-secret");
      const settings = join(folder, basename(stack.operated.settings));
      cpSync(join(stack.folder, "pulumi"), join(folder, "pulumi"), { recursive: true });
      cpSync(stack.operated.settings, settings);
      try {
        const cli = pulumiCli(stack.name, { settings, state: folder });
        await cli.prepare();
        // The CLI works on a copy, which has this machine's salt.
        const copy = join(folder, "pulumi/project", basename(settings));
        const kubeconfig = readFileSync(process.env["KUBECONFIG"] ?? "", "utf8");
        const set = ["config", "set", "--secret", "kubernetes:kubeconfig", kubeconfig, "--config-file", copy];
        await captured(cli.invocation(set));
        expect(readFileSync(copy, "utf8")).toMatch(/kubernetes:kubeconfig:\s+secure: /);
        cpSync(copy, settings);
        const variables = { STACK_FOLDER: folder, KUBECONFIG: nowhere };
        expect(await operator.says("health", { variables })).toMatch(/^ok /);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    test("a pod that no node can run: doctor reports the scheduler's reason, and that nodes cannot be drained (F8)", async () => {
      const pod = stack.member("pool-read", 0);
      const [node = ""] = (
        await kubectl(["get", "nodes", "--output", "jsonpath={.items[*].metadata.name}"])
      ).split(" ");
      await kubectl(["cordon", node]);
      try {
        await stack.deletePod(pod);
        await eventually("it is pending", 120_000, async () => {
          const { stdout } = await operator.run("doctor");
          expect(stdout).toMatch(
            new RegExp(
              `WRONG +${pod} +Pending, .*unschedulable.*\n +-> bring it back, with its data: no node can run it`,
            ),
          );
          expect(stdout).toMatch(new RegExp(`WRONG +events +${pod}: FailedScheduling: `));
          expect(stdout).toContain(
            `${stack.cluster}-pool-read allows no disruption: 1 of 2 members are healthy`,
          );
        });
        const health = await operator.run("health");
        expect(health).toMatchObject({ code: 1, stdout: expect.stringContaining(`${pod} is pending`) });
      } finally {
        await kubectl(["uncordon", node]);
      }
      await eventually("it is ready again", 120_000, async () => {
        expect(await operator.run("health")).toMatchObject({ code: 0 });
      });
    });
  },
);
