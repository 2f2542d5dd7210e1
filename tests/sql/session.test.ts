import { withSession } from "../../components/resources/sql/session";
import { describeWithDocker, startPostgres } from "../support/postgres";
import type { PostgresServer } from "../support/postgres";

jest.setTimeout(240_000);

describeWithDocker("a session that needs a lock which somebody else holds (H1)", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres(`prov-session-${process.pid}`);
    await withSession(server.target, (session) => session.query("CREATE TABLE nodes ()"));
  });
  afterAll(() => server.remove());

  const LOCK = "LOCK TABLE nodes IN EXCLUSIVE MODE";
  /** Asks for the lock while another session has it, which gives it up when `tried` was asked so often. */
  const contended = async (options: object, tries: number): Promise<number> => {
    let tried = 0;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let held = (): void => undefined;
    const isHeld = new Promise<void>((resolve) => (held = resolve));
    const holder = withSession(server.target, async (session) => {
      await session.query("BEGIN");
      await session.query(LOCK);
      held();
      await released;
      await session.query("ROLLBACK");
    });
    await isHeld;
    try {
      await withSession(
        server.target,
        async (session) => {
          if (++tried === tries) release();
          await session.query("BEGIN");
          await session.query(LOCK);
        },
        { lockTimeoutSeconds: 1, deadlineSeconds: 60, ...options },
      );
      return tried;
    } finally {
      release();
      await holder;
    }
  };

  test("fails by default at the time-out of the lock, since everybody else waits behind it", async () => {
    await expect(contended({}, 9)).rejects.toThrow("canceling statement due to lock timeout");
  });

  test("tries again where it awaits locks, and has it when it is free", async () => {
    expect(await contended({ awaitsLocks: true }, 3)).toBe(3);
  });

  test("says at its deadline what it waited for", async () => {
    await expect(contended({ awaitsLocks: true, deadlineSeconds: 3 }, 9)).rejects.toThrow(
      /^the primary accepts a session and the required locks are free: timed out after 3 s\. Last seen: .*lock timeout$/,
    );
  });
});
