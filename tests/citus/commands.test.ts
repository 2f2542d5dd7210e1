import { claimCommands } from "../support/command-claims";
import { withCitus } from "../support/citus";
import { Operator } from "../support/commands";
import { stack } from "./cluster";

const operator = new Operator(stack);

(withCitus ? describe : describe.skip)("operators' commands of a distributed database on Docker (S6)", () => {
  claimCommands(() => ({
    ...{ stack, operator },
    databases: ["coordinator", "worker-1", "worker-2"],
    parts: [/^Docker engine$/, /^Citus nodes$/],
    unreachable: { DOCKER_HOST: "tcp://127.0.0.1:1" },
  }));

  test("psql and switchover with GROUP are about a worker group (S6)", async () => {
    const variables = { GROUP: "2", SQL: "SELECT groupid, pg_is_in_recovery() FROM pg_dist_local_group" };
    const before = await operator.says("psql", { args: ["-XAt"], variables });
    expect(before).toBe("2|f\n");
    const { document } = await operator.json("switchover", {
      variables: { GROUP: "2" },
    });
    for (const name of [document.from, document.to]) expect(name).toMatch(/^pg-citus-worker-2-\d$/);
    expect(document.to).not.toBe(document.from);
  });
});
