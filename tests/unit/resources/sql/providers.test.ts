import type { dynamic } from "@pulumi/pulumi";
import { databaseProvider } from "../../../../components/resources/sql/database/provider";
import { replicationCheckProvider } from "../../../../components/resources/sql/replication-check/provider";
import { rolesProvider } from "../../../../components/resources/sql/roles/provider";
import { served } from "../../../support/served";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const NOWHERE = { via: "tcp", host: "127.0.0.1", port: 1 };
const member = { name: "pg-0", serverName: "pg-0", reach: NOWHERE };
const target = { members: [member], user: "postgres", database: "postgres", ca: "PEM" };
const common = { target, password: "secret", deadlineSeconds: 1, providerVersion: 1 };
const roles = {
  ...common,
  roles: [
    {
      name: "app",
      login: true,
      connectionLimit: -1,
      createDatabase: false,
      createRole: false,
      memberOf: [],
      settings: {},
    },
  ],
  passwords: { app: "secret" },
  onRemoval: "disable-login",
};
const database = {
  ...common,
  name: "app",
  owner: "own",
  extensions: [],
  access: { readWrite: [], readOnly: [] },
};

async function diffOf(provider: object, olds: object, news: object) {
  const { provider: loaded } = served(provider as dynamic.ResourceProvider<object, object>);
  return loaded.diff("id", olds, news);
}

describe("SQL providers", () => {
  it("report no change for unchanged inputs, whatever the deadline", async () => {
    const same = { changes: false, replaces: [] };
    expect(await diffOf(rolesProvider, { ...roles, drift: [] }, { ...roles, deadlineSeconds: 9 })).toEqual(
      same,
    );
    expect(
      await diffOf(databaseProvider, { ...database, drift: [] }, { ...database, connect: undefined }),
    ).toEqual(same);
  });

  it("report a change for another input, another provider, an unknown value, and drift", async () => {
    const update = { changes: true, replaces: [] };
    for (const change of [
      { passwords: { app: "other" } },
      { password: UNKNOWN },
      { providerVersion: 2 },
      { roles: [] },
    ]) {
      expect(await diffOf(rolesProvider, { ...roles, drift: [] }, { ...roles, ...change })).toEqual(update);
    }
    expect(await diffOf(rolesProvider, { ...roles, drift: ["alter role app"] }, roles)).toEqual(update);
    expect(
      await diffOf(databaseProvider, { ...database, drift: [] }, { ...database, owner: "other" }),
    ).toEqual(update);
  });

  it("replace a database only when its name is known to be another", async () => {
    const before = { ...database, drift: [] };
    expect(await diffOf(databaseProvider, before, { ...database, name: "b" })).toEqual({
      changes: true,
      replaces: ["name"],
    });
    expect(await diffOf(databaseProvider, before, { ...database, name: UNKNOWN })).toEqual({
      changes: true,
      replaces: [],
    });
  });

  it("never delete data", async () => {
    const loadedRoles = served(rolesProvider);
    await loadedRoles.provider.delete("roles", { ...roles, drift: [] } as never);
    expect(loadedRoles.printed).toEqual(["roles are kept in the database, with their objects: app"]);
    const loadedDatabase = served(databaseProvider);
    await loadedDatabase.provider.delete("app", { ...database, drift: [] } as never);
    expect(loadedDatabase.printed).toEqual([
      "database app is kept, with its data; drop it manually when it is no longer needed",
    ]);
  });

  it("fail at their deadline with the last thing that was wrong", async () => {
    const { provider } = served(rolesProvider);
    await expect(provider.create(roles as never)).rejects.toThrow(
      "the primary accepts a session: timed out after 1 s. Last seen: pg-0: connect ECONNREFUSED 127.0.0.1:1",
    );
  });
});

describe("the provider of ReplicationCheck", () => {
  const inputs = {
    ...common,
    rest: { members: [member], ca: "PEM" },
    ...{ members: 1, synchronousReplicas: 0, maximumLagBytes: 1000 },
  };
  const seen = {
    leader: "pg-0",
    members: [{ name: "pg-0", role: "leader", state: "running", syncState: "" }],
  };

  it("shows in a preview that it cannot look, without failing", async () => {
    const { provider, printed } = served(replicationCheckProvider);
    expect(await provider.diff("replication", { ...inputs, seen } as never, inputs as never)).toEqual({
      changes: true,
      replaces: [],
    });
    expect(printed).toEqual([
      "replication: pg-0: its REST API does not answer: connect ECONNREFUSED 127.0.0.1:1",
      "replication: pg-0: its PostgreSQL does not answer: pg-0: connect ECONNREFUSED 127.0.0.1:1",
      "replication: members do not agree on a leader: none of them answers",
    ]);
  });

  it("does not look while an input is unknown", async () => {
    const { provider, printed } = served(replicationCheckProvider);
    const news = { ...inputs, password: UNKNOWN };
    expect(await provider.diff("replication", { ...inputs, seen } as never, news as never)).toEqual({
      changes: true,
      replaces: [],
    });
    expect(printed).toEqual([]);
  });

  it("fails with the list of what is wrong", async () => {
    const { provider } = served(replicationCheckProvider);
    await expect(provider.create(inputs as never)).rejects.toThrow(
      "replication still differs from the declaration after 1 s:\n  - pg-0: its REST API does not answer: connect ECONNREFUSED",
    );
  });

  it("refuses a number of members that is not the number of named ones", async () => {
    const { provider } = served(replicationCheckProvider);
    expect((await provider.check({} as never, { ...inputs, members: 3 } as never)).failures).toEqual([
      { property: "members", reason: "must be the number of members in target.members, which is 1, got 3" },
    ]);
    expect((await provider.check({} as never, { ...inputs, target: UNKNOWN } as never)).failures).toEqual([]);
  });
});
