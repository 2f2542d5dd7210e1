import { checkGuests, readChecks } from "../../../commands/doctor/guests";
import { clusterOf } from "../../../commands/cluster";
import { stackOf } from "../../../commands/stack";
import type { ClusterMember, ClusterMembers, Execution } from "../../../components/reach/cluster-members";

const member = (name: string, workload: string, state = "running"): ClusterMember => ({
  ...{ name, workload, state, readiness: "ready", status: "Up", address: name, node: "here", restarts: 0 },
});
const check = (name: string, more: object = {}): object => ({
  ...{ name, command: ["ask", name], timeoutSeconds: 5, of: "member", remedy: `mend ${name}` },
  ...more,
});

/** Members whose guests.json and whose commands' answers are given; every other command says nothing. */
function standIn(
  guests: Readonly<Record<string, object>>,
  answers: Readonly<Record<string, Partial<Execution>>>,
  patroni: readonly { readonly Member: string; readonly Role: string }[] = [],
): ClusterMembers {
  const said = (stdout: string, exitCode = 0): Execution => ({ exitCode, stdout, output: stdout });
  return {
    list: () => Promise.resolve(all),
    execute: async (name: string, command: readonly string[]) => {
      const text = command.join(" ");
      if (text.includes("guests.json"))
        return said(name in guests ? JSON.stringify({ checks: guests[name] }) : "");
      if (text.includes("patronictl")) return said(JSON.stringify(patroni));
      const answer = answers[`${name} ${command.at(-1) ?? ""}`];
      if (answer === undefined) throw new Error(`${name} does not answer`);
      return { ...said(answer.output ?? "", answer.exitCode), ...answer };
    },
  } as Partial<ClusterMembers> as ClusterMembers;
}

const all = [member("pg-patroni-0", "patroni"), member("pg-patroni-1", "patroni")];

describe("what guests say of themselves in doctor (docs/architecture.md, Guests)", () => {
  const asked = (...args: Parameters<typeof standIn>) =>
    checkGuests(clusterOf(stackOf({ STACK: "dev" }), standIn(...args)), all);

  test("a member without guests says nothing", async () => expect(await asked({}, {})).toEqual([]));

  test("each check of each member is asked, and what fails comes with its way out", async () => {
    const guests = { "pg-patroni-0": [check("queue")], "pg-patroni-1": [check("queue"), check("clock")] };
    const found = await asked(guests, {
      "pg-patroni-0 queue": { output: "3 segments wait\nmore" },
      "pg-patroni-1 queue": { exitCode: 1, output: "900 segments wait" },
    });
    expect(found).toEqual([
      { part: "pg-patroni-0 queue", ok: true, seen: "3 segments wait" },
      { part: "pg-patroni-1 queue", ok: false, seen: "900 segments wait", remedy: "mend queue" },
      { part: "pg-patroni-1 clock", ok: false, seen: "pg-patroni-1 does not answer", remedy: "mend clock" },
    ]);
  });

  test("what only the leader knows is asked of it alone", async () => {
    const checks = [check("archive", { of: "leader" })];
    const answers = { "pg-patroni-1 archive": { output: "up to date" } };
    const patroni = [
      { Member: "pg-patroni-0", Role: "Replica" },
      { Member: "pg-patroni-1", Role: "Leader" },
    ];
    const found = await asked({ "pg-patroni-0": checks, "pg-patroni-1": checks }, answers, patroni);
    expect(found).toEqual([{ part: "pg-patroni-1 archive", ok: true, seen: "up to date" }]);
  });

  test("a file that only has companions has no checks", () => {
    expect(readChecks('{"companions": []}')).toEqual([]);
  });
});
