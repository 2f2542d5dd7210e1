import {
  patroniLeaderProvider,
  type PatroniLeaderInputs,
  refusedBootstrap,
} from "../../../../components/resources/patroni/leader-provider";
import { served } from "../../../support/served";

const inputs: PatroniLeaderInputs = {
  rest: {
    members: [{ name: "pg-0", serverName: "pg-0", reach: { via: "tcp", host: "127.0.0.1", port: 1 } }],
    ca: "PEM",
  },
  deadlineSeconds: 1,
  providerVersion: 1,
};

describe("the provider of PatroniLeader", () => {
  it("needs no cluster to see that its inputs are the same or others", async () => {
    const { provider } = served(patroniLeaderProvider);
    const diff = (change: object) => provider.diff("leader", inputs, { ...inputs, ...change });
    expect(await diff({})).toEqual({ changes: false, replaces: [] });
    expect(await diff({ deadlineSeconds: 5 })).toEqual({ changes: false, replaces: [] });
    expect(await diff({ providerVersion: 2 })).toEqual({ changes: true, replaces: [] });
    expect(await diff({ rest: { ...inputs.rest, ca: "another" } })).toEqual({ changes: true, replaces: [] });
  });

  it("fails at its deadline with the members' reasons", async () => {
    const { provider } = served(patroniLeaderProvider);
    await expect(provider.create(inputs)).rejects.toThrow(
      "the members have a leader: timed out after 1 s. Last seen: pg-0: connect ECONNREFUSED",
    );
  });

  it("is gone where nobody answers, so that the next up waits again", async () => {
    const { provider } = served(patroniLeaderProvider);
    expect(await provider.read("leader", inputs)).toEqual({});
  });
});

it("what PostgreSQL refused before the database was made is told as it was said last, all of one time", () => {
  const line = (time: string, about: string) =>
    `    | 2026-11-28 ${time},596 ERROR: no database is made: PostgreSQL refuses ${about}`;
  const log = [line("03:38:11", "a"), "    | 2026-11-28 03:38:12,001 INFO: again", line("03:38:14", "b")];
  expect(refusedBootstrap([log.join("\n"), line("03:38:14", "c")])).toBe(
    [line("03:38:14", "b"), line("03:38:14", "c")].join("\n"),
  );
  expect(refusedBootstrap(["", "no leader yet"])).toBeUndefined();
});
