import type { HttpsAnswer, HttpsRequest } from "../../components/reach/https-client";
import type { PatroniRest } from "../../components/resources/patroni/rest";

interface FakeMember {
  /** Restarts of its PostgreSQL. */
  restarts: number;
  pending: boolean;
  /** Looks at the cluster until the leader counts it among those that confirm commits. */
  counted: number;
}

/** Looks that a leader needs, here, before it counts a replica that was started. */
const LOOKS = 3;

/**
 * A group under Patroni as its REST APIs show it, for tests of who asks what and when: a replica that was restarted streams at once and is
 * counted a few looks later, as with the real one, and a switchover is refused as long as nobody is counted.
 */
export class FakePatroni implements PatroniRest {
  readonly members: readonly string[];
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  /** What was refused although the caller could have known. */
  readonly refused: string[] = [];
  leader: string;
  readonly configuration: Record<string, unknown> = { synchronous_mode: "quorum" };
  /** Answers that the next requests get in place of their effect, by path. `lost`: it is done, and nobody answers. */
  readonly next: Record<string, (Partial<HttpsAnswer> | "lost")[]> = {};
  private readonly states = new Map<string, FakeMember>();

  constructor(count: number, pending = false) {
    this.members = [...Array(count).keys()].map((i) => `pg-${i}`);
    this.leader = "pg-0";
    for (const name of this.members) this.states.set(name, { restarts: 0, pending, counted: 0 });
  }

  restarts = (): readonly number[] => this.members.map((name) => this.of(name).restarts);

  private of(name: string): FakeMember {
    const state = this.states.get(name);
    if (state === undefined) throw new Error(`there is no ${name}`);
    return state;
  }

  sendToAny(request: HttpsRequest): Promise<HttpsAnswer> {
    return this.send(this.members[0]!, request);
  }

  /** A replica that streams, and that the leader never counts. */
  neverCounted(name: string): void {
    this.of(name).counted = Infinity;
  }

  async send(member: string, { method, path, body }: HttpsRequest): Promise<HttpsAnswer> {
    if (method === "GET") return { status: 200, text: "", json: this.shown(member, path) };
    if (method === "PATCH") {
      Object.assign(this.configuration, body);
      return { status: 200, text: "", json: this.configuration };
    }
    this.asked.push(`${path} ${member}`);
    const given = this.next[path]?.shift();
    if (given !== undefined && given !== "lost") return { status: 503, text: "", json: undefined, ...given };
    const answer =
      path === "/switchover"
        ? this.handOver(member, (body as { candidate?: string }).candidate)
        : this.restart(member, body as Record<string, unknown>);
    if (given === "lost") throw new Error("socket hang up");
    return { ...answer, json: undefined };
  }

  private shown(member: string, path: string): unknown {
    const { restarts, pending } = this.of(member);
    if (path === "/config") return { ...this.configuration };
    if (path === "/cluster") return { members: this.members.map((name) => this.inDcs(name)) };
    return {
      state: "running",
      postmaster_start_time: `start ${restarts}`,
      ...(pending && { pending_restart: true, pending_restart_reason: REASON }),
      ...(member === this.leader && {
        replication: this.members.map((name) => ({ application_name: name, state: "streaming" })),
      }),
    };
  }

  private inDcs(name: string): { readonly name: string; readonly role: string } {
    const state = this.of(name);
    const counted = state.counted === 0;
    if (!counted) state.counted -= 1;
    return { name, role: name === this.leader ? "leader" : counted ? "quorum_standby" : "replica" };
  }

  private started(name: string): void {
    Object.assign(this.of(name), { restarts: this.of(name).restarts + 1, pending: false, counted: LOOKS });
  }

  private handOver(from: string, candidate?: string): { readonly status: number; readonly text: string } {
    const to = this.members.find(
      (name) => name !== from && this.of(name).counted === 0 && name === (candidate ?? name),
    );
    if (from !== this.leader || to === undefined) {
      this.refused.push(`/switchover ${from}`);
      return { status: 503, text: "Switchover failed" };
    }
    this.leader = to;
    this.started(from);
    return { status: 200, text: `Successfully switched over to "${to}"` };
  }

  private restart(
    member: string,
    { role, restart_pending }: Record<string, unknown>,
  ): { readonly status: number; readonly text: string } {
    const leads = member === this.leader;
    if ((role === "replica" && leads) || (restart_pending === true && !this.of(member).pending))
      return { status: 503, text: "restart conditions are not satisfied" };
    this.started(member);
    return { status: 200, text: "restarted successfully" };
  }
}

const REASON = { max_connections: { old_value: "100", new_value: "200" } };
