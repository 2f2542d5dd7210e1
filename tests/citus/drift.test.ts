import { withCitus } from "../support/citus";
import { coordinatorLeader, nodes, report, sqlIn, stack } from "./cluster";

(withCitus ? describe : describe.skip)("the nodes of a distributed database drift", () => {
  afterAll(() => report());

  describe("drift that somebody made by hand is found and named (F8)", () => {
    // The failovers before it are news, too.
    beforeAll(() => stack.up());

    test.each([
      [
        "a node is disabled",
        (host: string) => `UPDATE pg_dist_node SET isactive = false WHERE nodename = '${host}'`,
        (host: string) => `${host} is not active`,
        (host: string) => `UPDATE pg_dist_node SET isactive = true WHERE nodename = '${host}'`,
      ],
      [
        "a row is renamed",
        (host: string) => `UPDATE pg_dist_node SET nodename = 'elsewhere' WHERE nodename = '${host}'`,
        (host: string) => `${host} is registered under another name, elsewhere`,
        (host: string) => `UPDATE pg_dist_node SET nodename = '${host}' WHERE nodename = 'elsewhere'`,
      ],
      [
        "a standby's row is removed",
        (host: string) => `SELECT citus_remove_node('${host}', 5432)`,
        (host: string) => `${host} is not registered`,
        (host: string, primary: string) =>
          `SELECT citus_add_secondary_node('${host}', 5432, '${primary}', 5432)`,
      ],
    ])("%s", async (_what, make, said, mend) => {
      const rows = await nodes();
      const [primary, standby] = ["primary", "secondary"].map(
        (role) => rows.find((row) => row.group === 1 && row.role === role)?.host ?? "",
      ) as [string, string];
      const coordinator = await coordinatorLeader();
      await sqlIn(coordinator, make(standby));
      try {
        expect(await stack.preview()).toContain(`nodes: group 1: ${said(standby)}`);
      } finally {
        await sqlIn(coordinator, mend(standby, primary));
      }
      await stack.preview("--expect-no-changes");
    });
  });
});
