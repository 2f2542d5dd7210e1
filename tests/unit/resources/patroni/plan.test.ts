import {
  cannotHandOver,
  chooseCandidate,
  describePatch,
  planPatch,
  planRestart,
} from "../../../../components/resources/patroni/plan";
import type { ClusterStatus, MemberStatus } from "../../../../components/resources/patroni/status";
import { clusterStatus } from "../../../../components/resources/patroni/status";

describe("planPatch", () => {
  it("is nothing when all is as declared, also where Patroni wrote a number as text", () => {
    const desired = { ttl: 20, postgresql: { parameters: { max_connections: 100 }, pg_hba: ["a", "b"] } };
    const live = {
      ttl: "20",
      postgresql: { parameters: { max_connections: "100", jit: "off" }, pg_hba: ["a", "b"] },
      extra: 1,
    };
    expect(planPatch(live, desired, desired)).toBeUndefined();
  });

  it("holds only what differs; lists as a whole", () => {
    const live = {
      ttl: 30,
      loop_wait: 1,
      postgresql: { parameters: { work_mem: "4MB" }, pg_hba: ["a", "b"] },
    };
    const desired = {
      ttl: 20,
      loop_wait: 1,
      postgresql: { parameters: { work_mem: "8MB" }, pg_hba: ["b", "a"] },
    };
    expect(planPatch(live, desired, {})).toEqual({
      ttl: 20,
      postgresql: { parameters: { work_mem: "8MB" }, pg_hba: ["b", "a"] },
    });
  });

  it("removes what is no longer declared, and leaves alone what never was", () => {
    const live = {
      ttl: 20,
      postgresql: { parameters: { work_mem: "8MB", theirs: 1 } },
      slots: { s: { type: "physical" } },
    };
    const before = { ttl: 20, postgresql: { parameters: { work_mem: "8MB" } }, pause: false };
    expect(planPatch(live, { ttl: 20, postgresql: { parameters: {} } }, before)).toEqual({
      postgresql: { parameters: { work_mem: null } },
    });
  });

  it("removes an object when nobody else has put something into it", () => {
    const before = { standby_cluster: { host: "a", port: 1 } };
    expect(planPatch({ standby_cluster: { host: "a", port: 1 } }, {}, before)).toEqual({
      standby_cluster: null,
    });
    expect(planPatch({ standby_cluster: { host: "a", theirs: 1 } }, {}, before)).toEqual({
      standby_cluster: { host: null },
    });
  });

  it("sends no nulls where there is nothing to patch", () => {
    expect(planPatch({}, { postgresql: { parameters: { a: 1, b: null } } }, {})).toEqual({
      postgresql: { parameters: { a: 1 } },
    });
    expect(planPatch({ a: 1 }, { a: null, b: null }, {})).toEqual({ a: null });
  });

  it("reads as lines", () => {
    expect(
      describePatch({ ttl: 20, postgresql: { parameters: { jit: null, work_mem: "8MB" }, pg_hba: ["a"] } }),
    ).toEqual([
      "ttl = 20",
      "postgresql.parameters.jit removed",
      "postgresql.parameters.work_mem = 8MB",
      'postgresql.pg_hba = ["a"]',
    ]);
  });
});

const RAISED = { max_connections: { old_value: "100", new_value: "200" } };
const LOWERED = { max_connections: { old_value: "200", new_value: "100" } };
const BUFFERS = { shared_buffers: { old_value: "128MB", new_value: "64MB" } };

function status(
  members: Record<string, Partial<MemberStatus>>,
  leader: string | undefined = "pg-0",
): ClusterStatus {
  return {
    leader,
    paused: false,
    synchronous: "quorum",
    members: Object.entries(members).map(([name, change]) => ({
      name,
      role: name === leader ? "leader" : "quorum_standby",
      state: "running",
      streaming: name !== leader,
      barred: false,
      lagBytes: 0,
      ...change,
    })),
  };
}

describe("planRestart", () => {
  it("is done when nobody waits", () => {
    expect(planRestart(status({ "pg-0": {}, "pg-1": {}, "pg-2": {} }))).toEqual({ do: "done" });
  });

  it("takes replicas one by one, then hands over to a restarted one, then restarts the old leader", () => {
    const pending = { pendingRestart: RAISED };
    const why = "max_connections 100 -> 200";
    expect(planRestart(status({ "pg-0": pending, "pg-1": pending, "pg-2": pending }))).toEqual({
      do: "restart",
      member: "pg-1",
      why,
    });
    expect(planRestart(status({ "pg-0": pending, "pg-1": {}, "pg-2": pending }))).toEqual({
      do: "restart",
      member: "pg-2",
      why,
    });
    expect(planRestart(status({ "pg-0": pending, "pg-1": {}, "pg-2": {} }))).toEqual({
      do: "switchover",
      from: "pg-0",
    });
    expect(planRestart(status({ "pg-0": pending, "pg-1": {}, "pg-2": {} }, "pg-1"))).toEqual({
      do: "restart",
      member: "pg-0",
      why,
    });
  });

  it("waits until the cluster is whole before the next step", () => {
    const pending = { pendingRestart: RAISED };
    const wait = (why: string) => ({ do: "wait", why });
    expect(planRestart(status({ "pg-0": pending, "pg-1": { state: "starting" }, "pg-2": pending }))).toEqual(
      wait("pg-1 is in state starting"),
    );
    expect(planRestart(status({ "pg-0": pending, "pg-1": { streaming: false } }))).toEqual(
      wait("pg-1 does not stream from pg-0"),
    );
    expect(planRestart(status({ "pg-0": pending, "pg-1": { problem: "refused" } }))).toEqual(
      wait("pg-1 does not answer: refused"),
    );
    expect(planRestart(status({ "pg-0": pending, "pg-1": { role: undefined } }))).toEqual(
      wait("pg-1 is unknown to the DCS"),
    );
    expect(planRestart({ ...status({ "pg-0": pending }), leader: undefined })).toEqual(
      wait("the cluster has no leader"),
    );
    expect(planRestart({ ...status({ "pg-0": pending }), paused: true })).toEqual(
      wait("Patroni is paused: end the pause with patronictl resume"),
    );
  });

  it("waits for a replica that streams and is not counted yet: nobody could take over (D5)", () => {
    const pending = { pendingRestart: RAISED };
    const late = { role: "replica" };
    const wait = { do: "wait", why: "pg-1 is not synchronous yet" };
    // Two members: the leader cannot hand over. Three: nor can it when the other replica goes next.
    expect(planRestart(status({ "pg-0": pending, "pg-1": late }))).toEqual(wait);
    expect(planRestart(status({ "pg-0": pending, "pg-1": late, "pg-2": pending }))).toEqual(wait);
    expect(planRestart(status({ "pg-0": {}, "pg-1": late }))).toEqual(wait);
    // Where Patroni picks, one is enough; where commits wait for nobody, none is asked for.
    const on = { ...status({ "pg-0": pending, "pg-1": late, "pg-2": { role: "sync_standby" } }) };
    expect(planRestart({ ...on, synchronous: "on" })).toMatchObject({ do: "switchover" });
    const off = status({ "pg-0": pending, "pg-1": late });
    expect(planRestart({ ...off, synchronous: "off" })).toMatchObject({ do: "switchover" });
  });

  it("restarts whoever is due, also without a setting that asks for it", () => {
    const due = (...names: string[]) =>
      planRestart(status({ "pg-0": {}, "pg-1": {}, "pg-2": {} }), ({ name }) => names.includes(name));
    expect(due("pg-0", "pg-2")).toEqual({ do: "restart", member: "pg-2", why: "requested" });
    expect(due("pg-0")).toEqual({ do: "switchover", from: "pg-0" });
    expect(due()).toEqual({ do: "done" });
  });

  it("restarts a single member in place", () => {
    expect(planRestart(status({ "pg-0": { pendingRestart: BUFFERS } }))).toEqual({
      ...{ do: "restart", member: "pg-0", why: "shared_buffers 128MB -> 64MB" },
    });
  });

  it("begins on the leader, in place, when a setting is lowered that standbys must not have below it", () => {
    const pending = { pendingRestart: LOWERED };
    const why = "max_connections 200 -> 100";
    expect(planRestart(status({ "pg-0": pending, "pg-1": pending, "pg-2": pending }))).toEqual({
      do: "restart",
      member: "pg-0",
      why,
    });
    expect(planRestart(status({ "pg-0": {}, "pg-1": pending, "pg-2": pending }))).toEqual({
      do: "restart",
      member: "pg-1",
      why,
    });
  });

  it("restarts replicas first for what else they wait for, and again after the leader", () => {
    const both = { pendingRestart: { ...LOWERED, ...BUFFERS } };
    expect(planRestart(status({ "pg-0": both, "pg-1": both }))).toMatchObject({
      do: "restart",
      member: "pg-1",
    });
    expect(planRestart(status({ "pg-0": both, "pg-1": { pendingRestart: LOWERED } }))).toMatchObject({
      do: "restart",
      member: "pg-0",
    });
    expect(planRestart(status({ "pg-0": {}, "pg-1": { pendingRestart: LOWERED } }))).toMatchObject({
      do: "restart",
      member: "pg-1",
    });
  });

  it("says when nobody can take over", () => {
    expect(planRestart(status({ "pg-0": { pendingRestart: RAISED }, "pg-1": { barred: true } }))).toEqual({
      ...{
        do: "wait",
        why: "no replica can take over from pg-0 (pg-1 must not become the leader (tag nofailover, or failover_priority 0))",
      },
    });
  });
});

describe("chooseCandidate", () => {
  it("prefers a synchronous replica, then the least lag, then the name", () => {
    const of = (members: Record<string, Partial<MemberStatus>>) =>
      chooseCandidate(status({ "pg-0": {}, ...members }))?.name;
    expect(of({ "pg-1": { role: "replica" }, "pg-2": { role: "sync_standby", lagBytes: 50 } })).toBe("pg-2");
    expect(of({ "pg-1": { lagBytes: 10 }, "pg-2": { lagBytes: 0 } })).toBe("pg-2");
    expect(of({ "pg-2": {}, "pg-1": {} })).toBe("pg-1");
    expect(of({ "pg-1": { role: "replica" } })).toBeUndefined();
    expect(of({ "pg-1": { streaming: false }, "pg-2": { barred: true } })).toBeUndefined();
  });
});

describe("cannotHandOver", () => {
  it("tells what passes from what does not (D5)", () => {
    const of = (candidate: string | undefined, members: Record<string, Partial<MemberStatus>>) =>
      cannotHandOver(status({ "pg-0": {}, ...members }), candidate);
    expect(of(undefined, { "pg-1": {} })).toBeUndefined();
    expect(of("pg-1", { "pg-1": {} })).toBeUndefined();
    expect(of("pg-1", { "pg-1": { role: "replica" }, "pg-2": {} })).toEqual({
      ...{ why: "pg-1 is not synchronous yet", forGood: false },
    });
    expect(of(undefined, { "pg-1": { streaming: false }, "pg-2": { problem: "refused" } })).toEqual({
      why: "no replica can take over from pg-0 (pg-1 does not stream from pg-0; pg-2 does not answer: refused)",
      forGood: false,
    });
    expect(of("pg-7", { "pg-1": {} })).toEqual({
      ...{ why: 'there is no member "pg-7"; the members are pg-0, pg-1', forGood: true },
    });
    expect(of("pg-0", { "pg-1": {} })).toEqual({ why: "pg-0 is already the leader", forGood: true });
    expect(of("pg-1", { "pg-1": { barred: true } })?.forGood).toBe(true);
    expect(of(undefined, {})).toEqual({ why: "pg-0 is the only member", forGood: true });
    expect(cannotHandOver({ ...status({ "pg-0": {}, "pg-1": {} }), paused: true })?.forGood).toBe(true);
  });
});

describe("clusterStatus", () => {
  it("knows the synchronous mode in every form that Patroni takes", () => {
    const mode = (synchronous_mode?: string | boolean) =>
      clusterStatus([], {}, new Map(), { synchronous_mode }).synchronous;
    expect([mode("quorum"), mode("Quorum"), mode(true), mode("on")]).toEqual([
      "quorum",
      "quorum",
      "on",
      "on",
    ]);
    expect([mode(false), mode("off"), mode()]).toEqual(["off", "off", "off"]);
  });

  it("puts together what the DCS says and what each member says", () => {
    const cluster = {
      members: [
        { name: "pg-0", role: "leader", timeline: 2 },
        { name: "pg-1", role: "quorum_standby", timeline: 2, lag: 16 },
        { name: "pg-9", role: "replica", lag: "unknown", tags: { nofailover: true } },
      ],
    };
    const answers = new Map<string, object>([
      [
        "pg-0",
        {
          state: "running",
          replication: [{ application_name: "pg-1", state: "streaming" }],
        },
      ],
      ["pg-1", { state: "running", pending_restart: true, pending_restart_reason: RAISED }],
      ["pg-2", new Error("refused")],
    ]);
    const seen = clusterStatus(["pg-0", "pg-1", "pg-2"], cluster, answers, { synchronous_mode: "quorum" });
    expect(seen.leader).toBe("pg-0");
    expect(seen.synchronous).toBe("quorum");
    expect(seen.members).toEqual([
      expect.objectContaining({
        name: "pg-0",
        role: "leader",
        state: "running",
        pendingRestart: undefined,
      }),
      expect.objectContaining({
        name: "pg-1",
        streaming: true,
        lagBytes: 16,
        pendingRestart: RAISED,
        barred: false,
      }),
      expect.objectContaining({
        name: "pg-2",
        role: undefined,
        state: undefined,
        streaming: false,
        problem: "refused",
      }),
    ]);
  });
});
