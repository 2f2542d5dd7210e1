import type { PatroniRest, RestTarget } from "../../patroni/rest";
import { withPatroni } from "../../patroni/rest";
import type { SessionTarget } from "../session";
import { withSession } from "../session";
import type { DcsView, Observation, ReplicaRow } from "./plan";
import { agreedLeader } from "./plan";
import { readReplicasStatement, readStandbyStatement } from "./statements";
import { reasonOf } from "../../../dynamic/reason";

const reason = (error: unknown): { readonly problem: string } => ({
  problem: reasonOf(error),
});

async function readView(rest: PatroniRest, member: string): Promise<DcsView> {
  const answer = await rest.send(member, { method: "GET", path: "/cluster", timeoutMs: 3000 });
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  const { members } = answer.json as { members: DcsView["members"] };
  return { leader: members.find((other) => other.role === "leader")?.name, members };
}

/** Observes all members once, without waiting. A member that does not answer is part of the observation. */
export async function observe(target: SessionTarget, restTarget: RestTarget): Promise<Observation> {
  const options = { deadlineSeconds: 0, connectTimeoutSeconds: 3, statementTimeoutSeconds: 5 };
  const views: Record<string, Observation["views"][string]> = {};
  const standby: Record<string, Observation["standby"][string]> = {};
  await withPatroni(restTarget, async (rest) => {
    await Promise.all(
      rest.members.map(async (name) => {
        views[name] = await readView(rest, name).catch(reason);
      }),
    );
  });
  const leader = agreedLeader(views);
  let replicas: ReplicaRow[] | undefined;
  await Promise.all(
    target.members.map(async ({ name }) => {
      try {
        await withSession(
          { ...target, role: name },
          async (session) => {
            const [row] = await session.query<{ standby: boolean }>(readStandbyStatement());
            if (row === undefined) throw new Error("pg_is_in_recovery() returned no row");
            standby[name] = row.standby;
            // A standby has no current WAL position to compare with.
            if (name === leader && !row.standby)
              replicas = await session.query<ReplicaRow>(readReplicasStatement());
          },
          options,
        );
      } catch (error) {
        standby[name] = reason(error);
      }
    }),
  );
  return { views, standby, replicas };
}
