import { checkScopes } from "../../../../components/resources/etcd/check";
import {
  describeStep,
  planAuthentication,
  prefixPermission,
} from "../../../../components/resources/etcd/plan";
import type { AuthenticationState } from "../../../../components/resources/etcd/plan";

const A = { user: "patroni-a", prefix: "/service/a/" };
const B = { user: "patroni-b", prefix: "/service/b/" };
const fresh: AuthenticationState = { enabled: false, users: {}, roles: {}, passwordsRight: [] };
const settled: AuthenticationState = {
  enabled: true,
  users: { root: ["root"], "patroni-a": ["patroni-a"] },
  roles: { root: [], "patroni-a": [prefixPermission("/service/a/")] },
  passwordsRight: ["root", "patroni-a"],
};
const lines = (...args: Parameters<typeof planAuthentication>) =>
  planAuthentication(...args).map(describeStep);

describe("planAuthentication", () => {
  it("makes everything in a fresh etcd, and switches authentication on last", () => {
    expect(lines(fresh, [A], [])).toEqual([
      "add-role root",
      "add-user root",
      "grant-role root root",
      "add-role patroni-a",
      "grant patroni-a READWRITE /service/a/*",
      "add-user patroni-a",
      "grant-role patroni-a patroni-a",
      "enable authentication",
    ]);
  });

  it("does nothing when all is as declared", () => {
    expect(lines(settled, [A], [])).toEqual([]);
  });

  it("goes on where an interrupted run stopped", () => {
    const half = { ...fresh, users: { root: [] }, roles: { root: [] } };
    expect(lines(half, [], [])).toEqual([
      "set-password root",
      "grant-role root root",
      "enable authentication",
    ]);
  });

  it("sets a password that is not the wanted one", () => {
    expect(lines({ ...settled, passwordsRight: ["root"] }, [A], [])).toEqual(["set-password patroni-a"]);
  });

  it("takes away what a scope has beyond its own keys", () => {
    const wide = {
      ...settled,
      roles: { ...settled.roles, "patroni-a": [prefixPermission("/service/a/"), prefixPermission("/")] },
    };
    const more = { ...wide, users: { ...wide.users, "patroni-a": ["patroni-a", "root"] } };
    expect(lines(more, [A], [])).toEqual(["revoke patroni-a READWRITE /*", "revoke-role root patroni-a"]);
  });

  it("deletes a scope that was declared before, and nobody else", () => {
    const state = {
      ...settled,
      users: { ...settled.users, "patroni-b": ["patroni-b"], operator: ["root"] },
      roles: { ...settled.roles, "patroni-b": [] },
    };
    expect(lines(state, [A], [A, B])).toEqual(["delete-user patroni-b", "delete-role patroni-b"]);
    expect(lines(settled, [A], [A, B])).toEqual([]);
  });

  it("covers exactly the keys with the prefix", () => {
    const { key, rangeEnd } = prefixPermission("/service/a/");
    expect([key, rangeEnd].map((text) => Buffer.from(text, "base64").toString())).toEqual([
      "/service/a/",
      "/service/a0",
    ]);
  });
});

describe("checkScopes", () => {
  it("accepts scopes that are apart from each other", () => {
    expect(checkScopes([A, B])).toEqual([]);
  });

  it("reports everything that is wrong", () => {
    const reasons = checkScopes([
      A,
      A,
      { user: "root", prefix: "/x/" },
      { user: "c", prefix: "service/c" },
      { user: "d", prefix: "/service/a/d/" },
    ]).map(({ reason }) => reason);
    expect(reasons).toEqual([
      `a scope's user must not be "root", which is etcd's administrator: choose another name`,
      `the prefix of c must start and end with "/" and be printable ASCII without spaces, got "service/c"`,
      `user "patroni-a" is declared twice`,
      "the prefixes of d and patroni-a overlap: /service/a/d/, /service/a/",
      "the prefixes of d and patroni-a overlap: /service/a/d/, /service/a/",
    ]);
  });
});
