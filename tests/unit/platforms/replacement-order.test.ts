import {
  replacementOrder,
  type RunningMembers,
} from "../../../components/platforms/docker/replacement-order";

const ask = { command: ["leader"], timeoutSeconds: 3 };
const members = [0, 1, 2].map((ordinal) => ({ name: `m-${ordinal}`, ordinal, replacedLast: ask }));
type State = "healthy" | "sick" | "stopped";

/** Members in these states; `answers` is what each prints. */
const running = (
  states: Record<string, State>,
  answers: Record<string, string | undefined> = {},
): RunningMembers => ({
  list: () =>
    Promise.resolve(
      Object.entries(states).map(([name, state]) => ({
        name,
        running: state !== "stopped",
        healthy: state === "healthy",
      })),
    ),
  ask: (name) => Promise.resolve(answers[name]),
});
const all: Record<string, State> = { "m-0": "healthy", "m-1": "healthy", "m-2": "healthy" };

test("the replica that a member names goes last", async () => {
  expect(await replacementOrder(members, running(all, { "m-0": "m-1\n" }))).toEqual({
    ordinals: [0, 2, 1],
    oneByOne: true,
    serves: true,
  });
});

test("a member that cannot tell, or knows of nobody, does not speak for the others", async () => {
  const order = await replacementOrder(members, running(all, { "m-0": undefined, "m-1": "", "m-2": "m-0" }));
  expect(order.ordinals).toEqual([1, 2, 0]);
});

test("a member that does not run is not asked", async () => {
  const states = { ...all, "m-0": "stopped" as const };
  expect((await replacementOrder(members, running(states, { "m-0": "m-2", "m-1": "m-1" }))).ordinals).toEqual(
    [0, 2, 1],
  );
});

test("members that are down or sick go first: replacing a healthy one then would be two down", async () => {
  expect((await replacementOrder(members, running({ "m-0": "healthy", "m-2": "sick" }))).ordinals).toEqual([
    1, 2, 0,
  ]);
});

test("without anything that runs all start together", async () => {
  expect(await replacementOrder(members, running({}))).toEqual({
    ordinals: [0, 1, 2],
    oneByOne: false,
    serves: false,
  });
});

test("an engine that does not answer means the order of ordinals", async () => {
  const dead: RunningMembers = {
    list: () => Promise.reject(new Error("connect ENOENT /var/run/docker.sock")),
    ask: () => Promise.reject(new Error("never asked")),
  };
  expect(await replacementOrder(members, dead)).toEqual({
    ordinals: [0, 1, 2],
    oneByOne: true,
    serves: false,
  });
});

test("a question that fails means the order of ordinals", async () => {
  const order = await replacementOrder(members, {
    ...running(all),
    ask: () => Promise.reject(new Error("exec failed")),
  });
  expect(order).toEqual({ ordinals: [0, 1, 2], oneByOne: true, serves: true });
});

test("an engine that hangs means the order of ordinals", async () => {
  const hangs: RunningMembers = {
    list: () => new Promise(() => undefined),
    ask: () => Promise.resolve(undefined),
  };
  expect(await replacementOrder(members, hangs, 0.05)).toEqual({
    ordinals: [0, 1, 2],
    oneByOne: true,
    serves: false,
  });
});

test("members that join wait for each other only where somebody serves: new ones may need each other (D5)", async () => {
  const serves = async (states: Record<string, State>) =>
    (await replacementOrder(members, running(states))).serves;
  expect(await serves({ "m-0": "healthy" })).toBe(true);
  expect(await serves({ "m-0": "sick", "m-1": "stopped" })).toBe(false);
});
