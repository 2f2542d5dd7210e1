import { resolve } from "node:path";
import { callPython } from "../../../support/python";

const SCRIPT = resolve(__dirname, "../../../../config-files/patroni/scripts/pools.py");

describe("how long a planned stop waits for the pools' transactions (H1)", () => {
  const patience = (commitsWait: boolean, left: number | null): unknown =>
    callPython(SCRIPT, "patience", [[commitsWait, left]])[0];

  test("three seconds for a transaction of whatever kind", () => {
    expect(patience(false, 15)).toBe(3);
  });

  test("eight for commits that a replica has yet to confirm, while the lease is renewed", () => {
    expect(patience(true, 14.2)).toBe(8);
  });

  test.each([
    ["has given up for want of etcd and needs what is left for its stop", 5],
    ["is past its time", -1],
    ["is not watched", null],
  ])("but three where the leader %s", (_, left) => {
    expect(patience(true, left)).toBe(3);
  });
});
