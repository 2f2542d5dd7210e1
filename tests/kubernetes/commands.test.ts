import { claimCommands } from "../support/command-claims";
import { Operator } from "../support/commands";
import { eventually } from "../support/stack";
import { Account } from "./account";
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

(withKubernetes ? describe : describe.skip)(
  "operators' commands on Kubernetes, with an operator's rights alone (S6, C4)",
  () => {
    beforeAll(async () => {
      await stack.start();
      operator = new Operator(stack, await account.create());
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
      unreachable: { KUBECONFIG: "/dev/null" },
    }));

    test("its rights end at the namespace, and secrets and changes are not among them", async () => {
      const may = async (...what: string[]): Promise<string> => {
        const as = `system:serviceaccount:${account.namespace}:${stack.cluster}-operator`;
        return (
          await kubectl(["auth", "can-i", ...what, "--as", as]).catch((error: unknown) => String(error))
        ).trim();
      };
      const here = ["--namespace", stack.namespace];
      expect(await may("list", "pods", ...here)).toMatch(/^yes/);
      for (const [verb, resource] of [
        ["get", "secrets"],
        ["delete", "pods"],
        ["patch", "statefulsets.apps"],
        ["create", "pods"],
      ] as const)
        expect(await may(verb, resource, ...here)).toMatch(/no/);
      expect(await may("list", "pods", "--namespace", "default")).toMatch(/no/);
    });

    test("a pod that no node takes: doctor says the scheduler's reason, and what it means for a drain (F8)", async () => {
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
              `WRONG +${pod} +Pending, .*unschedulable.*\n +-> bring it back, with its data: no node takes it`,
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
