import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** The follower's decision is Python (it runs in the pool's image); a table of situations goes in as JSON, and what it would do comes out. */
const DECISION = resolve(__dirname, "../../../../config-files/pgbouncer/follower/decision.py");

interface Answer {
  readonly kind: "primary" | "replica" | "no" | "silent";
  readonly timeline?: number;
  readonly times?: number;
  readonly seconds?: number;
}
interface Hold {
  readonly asked: boolean;
  readonly since: number;
  readonly down?: boolean;
}
interface State {
  readonly target?: string | null;
  readonly hold?: Hold | null;
  readonly best?: string | null;
  readonly best_since?: number;
  readonly hurry?: boolean;
}
interface Seen {
  readonly now?: number;
  readonly answers?: Readonly<Record<string, Answer>>;
  readonly session?: { readonly address: string } | null;
  readonly lost?: string | null;
  readonly asked?: boolean;
  readonly strays?: readonly { readonly client: string; readonly seconds: number }[];
}
interface Decision {
  readonly state: Required<State>;
  readonly actions: readonly (readonly [string, unknown])[];
}

const NOW = 1000;

function decide(mode: "primary" | "replica", state: State, seen: Seen, ordinal = 0): Decision {
  const cases = [{ rules: { mode, ordinal }, state, seen: { now: NOW, ...seen } }];
  const run = spawnSync("python3", [DECISION], { input: JSON.stringify(cases), encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  return (JSON.parse(run.stdout) as Decision[])[0] as Decision;
}

const leads = (timeline = 1): Answer => ({ kind: "primary", timeline });
const no = (times = 1): Answer => ({ kind: "no", times });
const replica: Answer = { kind: "replica", timeline: 1 };
const silent = (seconds = 0): Answer => ({ kind: "silent", seconds });

describe("a pool for writes", () => {
  const following: State = { target: "a", best: "a", best_since: 900, hurry: false };
  const withA = { session: { address: "a" } };
  const held = (hold: Partial<Hold>, more: State = {}): State => ({
    ...following,
    hold: { asked: false, since: NOW - 1, ...hold },
    ...more,
  });

  test("points at nobody before a member says that it leads", () => {
    const { state, actions } = decide("primary", {}, { answers: { a: no(9), b: silent(9) } });
    expect(actions).toEqual([]);
    expect(state).toMatchObject({ target: null, hurry: true });
  });

  test("points at the first leader it hears of", () => {
    expect(decide("primary", {}, { answers: { a: no(), b: leads() } }).actions).toEqual([["point", "b"]]);
  });

  test("resumes a pool that a follower before it left paused", () => {
    const { state, actions } = decide("primary", { hold: { asked: false, since: 0 } }, { answers: { b: leads() } });
    expect(actions).toEqual([
      ["point", "b"],
      ["resume", "b"],
    ]);
    expect(state.hold).toBeNull();
  });

  test("does nothing while the leader leads", () => {
    const { state, actions } = decide("primary", following, { answers: { a: leads(), b: no(5) }, ...withA });
    expect(actions).toEqual([]);
    expect(state).toMatchObject({ target: "a", hold: null, hurry: false });
  });

  test("holds when the leader asks for it", () => {
    const { state, actions } = decide("primary", following, { answers: { a: leads() }, ...withA, asked: true });
    expect(actions).toEqual([["hold", "a asks for it"]]);
    expect(state.hold).toEqual({ asked: true, since: NOW, down: false });
    expect(state.hurry).toBe(true);
  });

  test("holds the moment its session with the leader breaks", () => {
    const { state, actions } = decide("primary", following, { answers: { a: leads() }, lost: "a" });
    expect(actions).toEqual([["hold", "the session with a broke"]]);
    expect(state.hold).toMatchObject({ asked: false, down: true });
  });

  test("holds when the leader says twice that it is none, not when it says so once", () => {
    expect(decide("primary", following, { answers: { a: no(1) }, ...withA })).toMatchObject({
      actions: [],
      state: { hurry: true },
    });
    expect(decide("primary", following, { answers: { a: no(2) }, ...withA }).actions).toEqual([["hold", "a is not the leader"]]);
  });

  test("changes nothing when nobody answers: etcd or the network may be gone, the leader may not", () => {
    const { state, actions } = decide("primary", following, { answers: { a: silent(60), b: silent(60) }, ...withA });
    expect(actions).toEqual([]);
    expect(state).toMatchObject({ target: "a", hold: null });
  });

  test("holds but does not move while the new leader has not been proven to take writes", () => {
    const { state, actions } = decide("primary", following, { answers: { a: no(1), b: leads(2) }, ...withA });
    expect(actions).toEqual([["hold", "b leads now"]]);
    expect(state).toMatchObject({ target: "a", best: "b" });
  });

  test("moves and goes on once the new leader is proven", () => {
    const state = held({ asked: true }, { best: "b", best_since: NOW });
    const decision = decide("primary", state, { answers: { a: no(9), b: leads(2) }, session: { address: "b" } });
    expect(decision.actions).toEqual([
      ["point", "b"],
      ["resume", "b"],
    ]);
    expect(decision.state).toMatchObject({ target: "b", hold: null, hurry: false });
  });

  test("takes the leader's word after 3 s when its session cannot be opened", () => {
    const state = held({ since: NOW - 9 }, { best: "b", best_since: NOW - 2.9 });
    expect(decide("primary", state, { answers: { a: no(9), b: leads(2) } }).actions).toEqual([]);
    const later = held({ since: NOW - 9 }, { best: "b", best_since: NOW - 3 });
    expect(decide("primary", later, { answers: { a: no(9), b: leads(2) } }).actions).toEqual([
      ["point", "b"],
      ["resume", "b"],
    ]);
  });

  test("goes on with the same leader when it is back", () => {
    const decision = decide("primary", held({ down: true }), { answers: { a: leads() }, ...withA });
    expect(decision.actions).toEqual([["resume", "a"]]);
  });

  test("stays held after being asked while the leader still leads, for 15 s", () => {
    const asked = (since: number) => held({ asked: true, since });
    expect(decide("primary", asked(NOW - 14), { answers: { a: leads() }, ...withA }).actions).toEqual([]);
    expect(decide("primary", asked(NOW - 15), { answers: { a: leads() }, ...withA }).actions).toEqual([["resume", "a"]]);
  });

  test("a leader that went away after asking and came back is taken at once", () => {
    const gone = decide("primary", held({ asked: true }), { answers: { a: no(2) }, lost: "a" });
    expect(gone.state.hold).toMatchObject({ down: true });
    expect(decide("primary", gone.state, { answers: { a: leads() }, ...withA }).actions).toEqual([["resume", "a"]]);
  });

  test("an answer from before the stop does not end the pause: the session is gone", () => {
    const decision = decide("primary", held({ asked: true, down: true }, { best_since: 900 }), { answers: { a: leads() } });
    expect(decision.actions).toEqual([]);
  });

  test("a request that arrives when it holds already is remembered", () => {
    expect(decide("primary", held({}), { answers: { a: no(3) }, asked: true }).state.hold).toMatchObject({ asked: true });
  });

  test("stays held for as long as nobody leads", () => {
    expect(decide("primary", held({ since: NOW - 60, down: true }), { answers: { a: no(99), b: no(99) } }).actions).toEqual([]);
  });

  test("of two that say they lead, the higher timeline wins; on the same one nobody does", () => {
    const older = { a: leads(1), b: leads(2) };
    expect(decide("primary", {}, { answers: older }).actions).toEqual([["point", "b"]]);
    expect(decide("primary", {}, { answers: { a: leads(2), b: leads(2) } }).actions).toEqual([]);
  });

  test("cuts off clients whose statements do not end on a former leader, after 2 s and never while it holds", () => {
    const strays = [
      { client: "x", seconds: 2 },
      { client: "y", seconds: 1 },
    ];
    const seen = { answers: { a: leads() }, ...withA, strays };
    expect(decide("primary", following, seen).actions).toEqual([["evict", ["x"]]]);
    expect(decide("primary", held({ asked: true }), seen).actions).toEqual([]);
  });
});

describe("a pool for reads", () => {
  const reading: State = { target: "b", best: "b", best_since: 900, hurry: false };

  test("replicas of the pool spread over the replicas of the database", () => {
    const answers = { a: leads(), b: replica, c: replica };
    expect(decide("replica", {}, { answers }, 0).actions).toEqual([["point", "b"]]);
    expect(decide("replica", {}, { answers }, 1).actions).toEqual([["point", "c"]]);
    expect(decide("replica", {}, { answers }, 2).actions).toEqual([["point", "b"]]);
  });

  test("the leader serves reads when no replica does", () => {
    expect(decide("replica", {}, { answers: { a: leads(), b: no(3) } }).actions).toEqual([["point", "a"]]);
  });

  test("a replica that lags is left without anybody waiting, after its second bad answer", () => {
    expect(decide("replica", reading, { answers: { a: leads(), b: no(1), c: replica } }).actions).toEqual([]);
    expect(decide("replica", reading, { answers: { a: leads(), b: no(2), c: replica } }).actions).toEqual([["point", "c"]]);
  });

  test("a replica that answers no more is left after 3 s", () => {
    const answers = (seconds: number) => ({ a: leads(), b: silent(seconds), c: replica });
    expect(decide("replica", reading, { answers: answers(2) }).actions).toEqual([]);
    expect(decide("replica", reading, { answers: answers(3) }).actions).toEqual([["point", "c"]]);
  });

  test("holds when its session breaks, and goes on elsewhere once that is proven", () => {
    const broken = decide("replica", reading, { answers: { a: leads(), b: replica, c: replica }, lost: "b" });
    expect(broken.actions).toEqual([["hold", "the session with b broke"]]);
    const answers = { a: leads(), b: no(1), c: replica };
    expect(decide("replica", broken.state, { answers }).actions).toEqual([]);
    expect(decide("replica", broken.state, { answers, session: { address: "c" } }).actions).toEqual([
      ["point", "c"],
      ["resume", "c"],
    ]);
  });

  test("goes back to a replica when there is one again", () => {
    const fallback: State = { target: "a", best: "a", best_since: 900, hurry: false };
    expect(decide("replica", fallback, { answers: { a: leads(), b: replica } }).actions).toEqual([["point", "b"]]);
  });

  test("keeps what it has when nobody answers", () => {
    const { state, actions } = decide("replica", reading, { answers: { a: silent(60), b: silent(60) } });
    expect(actions).toEqual([]);
    expect(state.target).toBe("b");
  });
});
