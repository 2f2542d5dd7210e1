import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

/** The follower's decision is Python (it runs in the pool's image): situations go in as JSON, and what it would do comes out. */
const DECISION = resolve(__dirname, "../../../../config-files/pgbouncer/follower/decision.py");

interface Answer {
  readonly kind: "primary" | "replica" | "no" | "stopped" | "silent";
  readonly timeline?: number;
  readonly times?: number;
  readonly seconds?: number;
}
interface Hold {
  readonly asked: readonly string[];
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
  readonly session?: { readonly address: string; readonly seconds?: number } | null;
  readonly lost?: string | null;
  readonly asked?: readonly string[];
  readonly freed?: readonly string[];
  readonly closed?: readonly string[];
  readonly strays?: readonly { readonly client: string; readonly seconds: number }[];
}
interface Decision {
  readonly state: Required<State>;
  readonly actions: readonly (readonly [string, unknown])[];
}

interface Situation {
  readonly mode: "primary" | "replica";
  readonly state?: State;
  readonly seen: Seen;
  readonly ordinal?: number;
}

const NOW = 1000;
const situations: object[] = [];
let decisions: readonly Decision[] | undefined;

/** All situations are decided by one process: starting Python takes longer than deciding. */
function decide(): readonly Decision[] {
  const run = spawnSync("python3", [DECISION], { input: JSON.stringify(situations), encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as Decision[];
}

type Expected = readonly [actions: Decision["actions"], state?: object];

function claim(
  name: string,
  { mode, state = {}, seen, ordinal = 0 }: Situation,
  [actions, remembered]: Expected,
): void {
  const index = situations.push({ rules: { mode, ordinal }, state, seen: { now: NOW, ...seen } }) - 1;
  test(name, () => {
    decisions ??= decide();
    const decision = decisions[index];
    expect(decision?.actions).toEqual(actions);
    if (remembered !== undefined) expect(decision?.state).toMatchObject(remembered);
  });
}

const leads = (timeline = 1): Answer => ({ kind: "primary", timeline });
const no = (times = 1): Answer => ({ kind: "no", times });
const stopped = (times = 1): Answer => ({ kind: "stopped", times });
const replica: Answer = { kind: "replica", timeline: 1 };
const silent = (seconds = 0): Answer => ({ kind: "silent", seconds });

describe("a pool for writes", () => {
  const mode = "primary";
  const following: State = { target: "a", best: "a", best_since: 900, hurry: false };
  const withA = { session: { address: "a" } };
  const held = (hold: Partial<Hold>, more: State = {}): State => ({
    ...following,
    hold: { asked: [], since: NOW - 1, ...hold },
    ...more,
  });
  const aLeads = { answers: { a: leads() }, ...withA };

  claim(
    "points at nobody before a member says that it leads",
    { mode, seen: { answers: { a: no(9), b: silent(9) } } },
    [[], { target: null, hurry: true }],
  );
  claim("points at the first leader it hears of", { mode, seen: { answers: { a: no(), b: leads() } } }, [
    [["point", "b"]],
  ]);
  claim(
    "resumes a pool that a follower before it left paused",
    { mode, state: { hold: { asked: [], since: 0 } }, seen: { answers: { b: leads() } } },
    [
      [
        ["point", "b"],
        ["resume", "b"],
      ],
      { hold: null },
    ],
  );
  claim(
    "does nothing while the leader leads",
    { mode, state: following, seen: { answers: { a: leads(), b: no(5) }, ...withA } },
    [[], { target: "a", hold: null, hurry: false }],
  );
  claim(
    "holds when the leader asks for it",
    { mode, state: following, seen: { ...aLeads, asked: ["stop"] } },
    [[["hold", "requested by a: stop"]], { hold: { asked: ["stop"], since: NOW, down: false }, hurry: true }],
  );
  claim(
    "holds the moment its session with the leader breaks",
    { mode, state: following, seen: { answers: { a: leads() }, lost: "a" } },
    [[["hold", "the session with a broke"]], { hold: { asked: [], down: true } }],
  );
  claim(
    "looks closer when the leader says once that it is none",
    { mode, state: following, seen: { answers: { a: no(1) }, ...withA } },
    [[], { hold: null, hurry: true }],
  );
  claim(
    "holds when the leader says twice that it is none",
    { mode, state: following, seen: { answers: { a: no(2) }, ...withA } },
    [[["hold", "a is not the leader"]]],
  );
  claim(
    "changes nothing when nobody answers: the network may be gone, the leader may not",
    { mode, state: following, seen: { answers: { a: silent(60), b: silent(60) }, ...withA } },
    [[], { target: "a", hold: null }],
  );
  const closed = ["the checks after a restore"];
  claim("holds while a gate is closed (guests)", { mode, state: following, seen: { ...aLeads, closed } }, [
    [["hold", "clients wait for the checks after a restore"]],
  ]);
  claim(
    "goes on for no proof and no patience before the gate is open (guests)",
    { mode, state: held({ since: 0 }), seen: { ...aLeads, closed } },
    [[], { target: "a", hold: { asked: [] } }],
  );
  claim("goes on when the gate is open (guests)", { mode, state: held({}), seen: aLeads }, [
    [["resume", "a"]],
    { hold: null },
  ]);
  const bFollows = { b: no(9) };
  claim(
    "goes on while only the port of the leader's Patroni is blocked: its PostgreSQL says that it takes writes",
    { mode, state: following, seen: { answers: { a: silent(60), ...bFollows }, ...withA } },
    [[], { target: "a", best: "a", hold: null, hurry: true }],
  );
  claim(
    "and while that port is refused",
    { mode, state: following, seen: { answers: { a: stopped(60), ...bFollows }, ...withA } },
    [[], { target: "a", best: "a", hold: null, hurry: true }],
  );
  claim(
    "goes on there after its session broke, too, once a new one is answered",
    { mode, state: held({ down: true }), seen: { answers: { a: stopped(60), b: silent(60) }, ...withA } },
    [[["resume", "a"]]],
  );
  claim(
    "believes a Patroni that says that its member is none, whatever PostgreSQL says",
    { mode, state: held({ down: true }), seen: { answers: { a: no(2) }, ...withA } },
    [[], { best: null }],
  );
  claim(
    "believes a leader elsewhere, whatever PostgreSQL says where Patroni cannot be asked",
    { mode, state: following, seen: { answers: { a: silent(60), b: leads(2) }, ...withA } },
    [[["hold", "b leads now"]], { best: "b" }],
  );
  claim(
    "holds when nothing listens where the leader was and there is no session",
    { mode, state: following, seen: { answers: { a: stopped(2), ...bFollows } } },
    [[["hold", "a is not the leader"]]],
  );
  const unanswered = (seconds: number) => ({ session: { address: "a", seconds } });
  claim(
    "holds when neither Patroni nor PostgreSQL has answered for 3 s: the leader is frozen, or cut off from here",
    { mode, state: following, seen: { answers: { a: silent(3), ...bFollows }, ...unanswered(3) } },
    [[["hold", "a has not answered for 3 s"]], { target: "a", hold: { asked: [] }, hurry: true }],
  );
  claim(
    "bears it that both are late",
    { mode, state: following, seen: { answers: { a: silent(2.9), ...bFollows }, ...unanswered(2.9) } },
    [[], { target: "a", hold: null, hurry: true }],
  );
  claim(
    "bears a PostgreSQL that is late while Patroni answers",
    { mode, state: following, seen: { answers: { a: leads() }, ...unanswered(60) } },
    [[], { target: "a", hold: null }],
  );
  claim(
    "goes on when PostgreSQL answers again and nobody else leads",
    { mode, state: held({ since: NOW - 9 }), seen: { answers: { a: silent(12), ...bFollows }, ...withA } },
    [[["resume", "a"]]],
  );
  claim(
    "stays held for as long as neither answers",
    {
      mode,
      state: held({ since: NOW - 9 }),
      seen: { answers: { a: silent(12), ...bFollows }, ...unanswered(12) },
    },
    [[], { target: "a", best: null }],
  );
  claim(
    "takes up where the leader is by then",
    {
      mode,
      state: held({ since: NOW - 20 }, { best: "b", best_since: NOW }),
      seen: { answers: { a: silent(23), b: leads(2) }, session: { address: "b" } },
    },
    [
      [
        ["point", "b"],
        ["resume", "b"],
      ],
      { target: "b", hold: null },
    ],
  );
  claim(
    "a session that is not answered any more proves nothing",
    { mode, state: held({ since: NOW - 1 }), seen: { answers: { a: leads() }, ...unanswered(3) } },
    [[]],
  );
  claim(
    "holds but does not move while the new leader has not been proven to take writes",
    { mode, state: following, seen: { answers: { a: no(1), b: leads(2) }, ...withA } },
    [[["hold", "b leads now"]], { target: "a", best: "b" }],
  );
  claim(
    "moves and goes on once the new leader is proven",
    {
      mode,
      state: held({ asked: ["stop"] }, { best: "b", best_since: NOW }),
      seen: { answers: { a: no(9), b: leads(2) }, session: { address: "b" } },
    },
    [
      [
        ["point", "b"],
        ["resume", "b"],
      ],
      { target: "b", hold: null, hurry: false },
    ],
  );
  const bLeads = { answers: { a: no(9), b: leads(2) } };
  claim(
    "waits for a session with the new leader",
    { mode, state: held({ since: NOW - 9 }, { best: "b", best_since: NOW - 2.9 }), seen: bLeads },
    [[]],
  );
  claim(
    "takes the leader's word after 3 s when no session can be opened",
    { mode, state: held({ since: NOW - 9 }, { best: "b", best_since: NOW - 3 }), seen: bLeads },
    [
      [
        ["point", "b"],
        ["resume", "b"],
      ],
    ],
  );
  claim("goes on with the same leader when it is back", { mode, state: held({ down: true }), seen: aLeads }, [
    [["resume", "a"]],
  ]);
  claim(
    "stays held after being asked while the leader still leads",
    { mode, state: held({ asked: ["stop"], since: NOW - 14 }), seen: aLeads },
    [[]],
  );
  claim(
    "goes on 15 s after being asked when nothing came of it",
    { mode, state: held({ asked: ["stop"], since: NOW - 15 }), seen: aLeads },
    [[["resume", "a"]]],
  );
  claim(
    "goes on when the leader takes its request back",
    { mode, state: held({ asked: ["stop"], since: NOW - 1 }), seen: { ...aLeads, freed: ["stop"] } },
    [[["resume", "a"]]],
  );
  claim(
    "stays held for a stop when the locks of a worker group, for which it was asked too, are there",
    { mode, state: held({ asked: ["locks", "stop"] }), seen: { ...aLeads, freed: ["locks"] } },
    [[], { hold: { asked: ["stop"] } }],
  );
  claim(
    "has 15 s again when it is asked for something else meanwhile",
    { mode, state: held({ asked: ["locks"], since: NOW - 14 }), seen: { ...aLeads, asked: ["stop"] } },
    [[], { hold: { asked: ["locks", "stop"], since: NOW } }],
  );
  claim(
    "is not moved by that when it holds because the leader is away",
    { mode, state: held({ down: true }), seen: { answers: { a: no(3) }, freed: ["stop"] } },
    [[], { hold: { asked: [], down: true } }],
  );
  claim(
    "remembers that the leader went away after asking",
    { mode, state: held({ asked: ["stop"] }), seen: { answers: { a: no(2) }, lost: "a" } },
    [[], { hold: { down: true } }],
  );
  claim(
    "takes a leader that went away after asking and came back at once",
    { mode, state: held({ asked: ["stop"], down: true }), seen: aLeads },
    [[["resume", "a"]]],
  );
  claim(
    "is not misled by an answer from before the stop: the session is gone",
    { mode, state: held({ asked: ["stop"], down: true }), seen: { answers: { a: leads() } } },
    [[]],
  );
  claim(
    "remembers a request that arrives when it holds already",
    { mode, state: held({}), seen: { answers: { a: no(3) }, asked: ["stop"] } },
    [[], { hold: { asked: ["stop"] } }],
  );
  claim(
    "stays held for as long as nobody leads",
    { mode, state: held({ since: NOW - 60, down: true }), seen: { answers: { a: no(99), b: no(99) } } },
    [[]],
  );
  claim(
    "believes the higher timeline of two that say they lead",
    { mode, seen: { answers: { a: leads(1), b: leads(2) } } },
    [[["point", "b"]]],
  );
  claim(
    "believes neither of two on the same timeline",
    { mode, seen: { answers: { a: leads(2), b: leads(2) } } },
    [[]],
  );

  const strays = [
    { client: "x", seconds: 1 },
    { client: "y", seconds: 0.9 },
  ];
  claim(
    "cuts off clients whose statements do not end on a former leader",
    { mode, state: following, seen: { ...aLeads, strays } },
    [[["evict", ["x"]]]],
  );
  claim(
    "cuts nobody off while it holds",
    { mode, state: held({ asked: ["stop"] }), seen: { ...aLeads, strays } },
    [[]],
  );
});

describe("a pool for reads", () => {
  const mode = "replica";
  const reading: State = { target: "b", best: "b", best_since: 900, hurry: false };
  const both = { answers: { a: leads(), b: replica, c: replica } };

  claim("its first replica uses the first replica of the database", { mode, seen: both, ordinal: 0 }, [
    [["point", "b"]],
  ]);
  claim("its second one the second", { mode, seen: both, ordinal: 1 }, [[["point", "c"]]]);
  claim("its third one the first again", { mode, seen: both, ordinal: 2 }, [[["point", "b"]]]);
  claim("uses the leader when there is no replica", { mode, seen: { answers: { a: leads(), b: no(3) } } }, [
    [["point", "a"]],
  ]);
  claim(
    "bears one bad answer of a replica",
    { mode, state: reading, seen: { answers: { a: leads(), b: no(1), c: replica } } },
    [[]],
  );
  claim(
    "leaves a replica that lags without letting anybody wait",
    { mode, state: reading, seen: { answers: { a: leads(), b: no(2), c: replica } } },
    [[["point", "c"]], { hold: null }],
  );
  claim(
    "leaves a replica where nothing listens any more",
    { mode, state: reading, seen: { answers: { a: leads(), b: stopped(2), c: replica } } },
    [[["point", "c"]]],
  );
  claim(
    "bears a silence",
    { mode, state: reading, seen: { answers: { a: leads(), b: silent(2), c: replica } } },
    [[]],
  );
  claim(
    "leaves a replica after 3 s of silence",
    { mode, state: reading, seen: { answers: { a: leads(), b: silent(3), c: replica } } },
    [[["point", "c"]]],
  );
  claim("holds when its session breaks", { mode, state: reading, seen: { ...both, lost: "b" } }, [
    [["hold", "the session with b broke"]],
    { target: "b", hold: { down: true } },
  ]);
  const broken: State = { ...reading, hold: { asked: [], since: NOW, down: true } };
  const bGone = { answers: { a: leads(), b: no(1), c: replica } };
  claim("waits for a session elsewhere", { mode, state: broken, seen: bGone }, [[], { best: "c" }]);
  claim(
    "goes on elsewhere once that is proven",
    { mode, state: broken, seen: { ...bGone, session: { address: "c" } } },
    [
      [
        ["point", "c"],
        ["resume", "c"],
      ],
    ],
  );
  claim(
    "cuts nobody off: a query on a former replica is as good as ever",
    { mode, state: reading, seen: { ...both, strays: [{ client: "x", seconds: 60 }] } },
    [[]],
  );
  claim(
    "goes back to a replica when there is one again",
    { mode, state: { target: "a", best: "a" }, seen: { answers: { a: leads(), b: replica } } },
    [[["point", "b"]]],
  );
  claim(
    "keeps what it has when nobody answers",
    { mode, state: reading, seen: { answers: { a: silent(60), b: silent(60) } } },
    [[], { target: "b" }],
  );
});
