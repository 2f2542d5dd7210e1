import { claimCommands } from "../support/command-claims";
import { Operator } from "../support/commands";
import { docker, eventually, TestStack } from "../support/stack";

const stack = new TestStack();
const operator = new Operator(stack);

describe("operators' commands on Docker (S6)", () => {
  claimCommands(() => ({
    ...{ stack, operator },
    databases: ["patroni"],
    parts: [/^Docker engine$/, /^write 127\.0\.0\.1:/, /^certificate authority$/],
    unreachable: { DOCKER_HOST: "tcp://127.0.0.1:1" },
  }));

  test("a member that was stopped is named, with what brings it back (F8, S6)", async () => {
    const member = stack.member("pool-read", 0);
    await docker("stop", member);
    try {
      const health = await operator.run("health");
      expect(health).toMatchObject({
        code: 1,
        stdout: expect.stringContaining(`WRONG ${stack.cluster}: ${member} is exited`),
      });
      const doctor = await operator.run("doctor");
      expect(doctor.code).toBe(1);
      expect(doctor.stdout).toMatch(
        new RegExp(
          `WRONG +${member} +Exited .*\n +-> bring it back, with its data: docker start ${member}, or 'make up STACK=${stack.name}'`,
        ),
      );
      expect((await operator.run("ps")).code).toBe(1);
    } finally {
      await docker("start", member);
    }
    await eventually("it is ready again", 60_000, async () => {
      expect(await operator.run("health")).toMatchObject({ code: 0 });
    });
  });
});
