// Before the imports, which it is for: nothing moves it there.
jest.mock("../../../../components/resources/patroni/judge", () => ({
  notApplied: jest.fn(() => Promise.resolve([])),
}));

import { applyGuarded } from "../../../../components/resources/patroni/guarded";
import { notApplied } from "../../../../components/resources/patroni/judge";
import { patched } from "../../../../components/resources/patroni/judge-plan";
import type { JsonObject } from "../../../../components/resources/patroni/plan";
import type { PatroniRest, RestMember } from "../../../../components/resources/patroni/rest";

const parameters = (configuration: JsonObject): JsonObject =>
  (configuration["postgresql"] as { parameters: JsonObject }).parameters;
const configured = (changed: JsonObject): JsonObject => ({
  ttl: 20,
  synchronous_mode: "quorum",
  postgresql: { parameters: { shared_buffers: "1", work_mem: "1MB", ...changed } },
});

const MEMBERS: readonly RestMember[] = ["pg-0", "pg-1"].map((name) => ({
  ...{ name, serverName: name, reach: { via: "tcp", host: "127.0.0.1", port: 1 } },
}));

/** A leader `pg-0` and a replica whose PostgreSQL does not start with `shared_buffers = bad`. */
class Trial implements PatroniRest {
  readonly members = MEMBERS.map(({ name }) => name);
  readonly restarted: string[] = [];
  live = configured({});
  /** By member: what its server was started with. */
  readonly runs: Record<string, unknown> = { "pg-0": "1", "pg-1": "1" };
  private leader = "pg-0";
  private seen = 0;
  onRestart = (): void => undefined;

  send(member: string, { method, path, body }: Parameters<PatroniRest["send"]>[1]) {
    const answer = (json: unknown) => Promise.resolve({ status: 200, text: JSON.stringify(json), json });
    const wanted = parameters(this.live)["shared_buffers"];
    // Patroni tries again and again with what the configuration says.
    if (this.runs[member] === "bad" && wanted !== "bad") this.runs[member] = wanted;
    if (path === "/config" && method === "PATCH") this.live = patched(this.live, body as JsonObject);
    if (path === "/config") return answer(this.live);
    if (path === "/restart") {
      this.restarted.push(member);
      this.runs[member] = wanted;
      this.onRestart();
      return answer("");
    }
    const replica = this.leader === "pg-0" ? "pg-1" : "pg-0";
    if (path === "/switchover") {
      this.leader = replica;
      return answer("");
    }
    const role = (name: string) => (name === this.leader ? "leader" : "quorum_standby");
    if (path === "/cluster")
      return answer({ members: this.members.map((name) => ({ name, role: role(name), lag: 0 })) });
    return answer({
      state: this.runs[member] === "bad" ? "start failed" : "running",
      ...(this.runs[member] !== wanted && {
        pending_restart: true,
        pending_restart_reason: { shared_buffers: { old_value: "1", new_value: "2" } },
      }),
      dcs_last_seen: (this.seen += 1),
      replication: [
        { application_name: replica, state: this.runs[replica] === "bad" ? "down" : "streaming" },
      ],
    });
  }

  sendToAny(request: Parameters<PatroniRest["sendToAny"]>[0]) {
    return this.send("pg-0", request);
  }
}

const OPTIONS = { deadlineSeconds: 10, restartSeconds: 2 };
const apply = (trial: Trial, desired: JsonObject) =>
  applyGuarded(trial, MEMBERS, desired, configured({}), OPTIONS);

describe("a configuration with which a member does not start", () => {
  it("meets one replica, is taken back, and everybody is well again", async () => {
    const trial = new Trial();
    await expect(apply(trial, configured({ shared_buffers: "bad", work_mem: "2MB" }))).rejects.toThrow(
      /pg-1 is in state start failed.*\n.*The change was reverted, and every member is healthy with the previous configuration\.$/s,
    );
    expect(trial.live).toEqual(configured({}));
    expect(trial.restarted).toEqual(["pg-1"]);
    expect(trial.runs).toEqual({ "pg-0": "1", "pg-1": "1" });
  });

  it("stays where somebody else has changed the configuration meanwhile", async () => {
    const trial = new Trial();
    trial.onRestart = () => (trial.live = patched(trial.live, { ttl: 40 }));
    await expect(apply(trial, configured({ shared_buffers: "bad" }))).rejects.toThrow(
      "The change was not reverted, because the configuration has been changed again meanwhile.",
    );
    expect(trial.live).toEqual({ ...configured({ shared_buffers: "bad" }), ttl: 40 });
  });
});

describe("a value that the servers refuse in their files", () => {
  const refusedBy = (says: (member: string, trial: Trial) => { waits: boolean } | undefined) => {
    const trial = new Trial();
    jest.mocked(notApplied).mockImplementation(() =>
      Promise.resolve(
        trial.members.flatMap((member) => {
          const refused = says(member, trial);
          return refused
            ? [{ member, about: "work_mem", said: "work_mem = 2MB: could not be applied", ...refused }]
            : [];
        }),
      ),
    );
    return trial;
  };
  const changed = configured({ shared_buffers: "2", work_mem: "2MB" });

  it("is taken back before anybody restarts", async () => {
    const trial = refusedBy((_, { live }) =>
      parameters(live)["work_mem"] === "2MB" ? { waits: false } : undefined,
    );
    await expect(apply(trial, changed)).rejects.toThrow(
      /pg-0 does not apply its configuration files: work_mem = 2MB.*\n.*The change was reverted/s,
    );
    expect(trial.restarted).toEqual([]);
  });

  it("may be one that they take after the restart that they wait for", async () => {
    const trial = refusedBy((member, { runs }) => (runs[member] === "2" ? undefined : { waits: true }));
    await apply(trial, changed);
    expect(trial.live).toEqual(changed);
    expect(trial.restarted).toEqual(["pg-1", "pg-0"]);
  });

  it("is taken back when the first replica has restarted and still refuses it", async () => {
    const trial = refusedBy((member, { live, runs }) =>
      parameters(live)["work_mem"] === "2MB" ? { waits: runs[member] !== "2" } : undefined,
    );
    await expect(apply(trial, changed)).rejects.toThrow(
      /pg-1 does not apply its configuration files: work_mem = 2MB.*\n.*The change was reverted/s,
    );
    expect(trial.restarted[0]).toBe("pg-1");
    expect(trial.restarted).not.toContain("pg-0");
  });
});
