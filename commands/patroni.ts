import { parse } from "yaml";
import type { PatroniRest, RestMember } from "../components/resources/patroni/rest";
import { withPatroni } from "../components/resources/patroni/rest";
import { messageOf } from "../components/dynamic/reason";
import { PORTS } from "../config-files/ports";
import { type Cluster, runningMember } from "./cluster";
import { CommandError } from "./command-error";
import type { Group } from "./groups";

/**
 * Gives `use` access to Patroni's REST API in the members of a group, with the same client as `up`. The password is read from a member.
 * Errors of `use` are for the operator, without a stack trace.
 */
export async function withGroup<T>(
  cluster: Cluster,
  group: Group,
  use: (rest: PatroniRest) => Promise<T>,
): Promise<T> {
  const first = await runningMember(cluster, group.workload);
  const others = (await cluster.members(group.workload)).filter(({ name }) => name !== first.name);
  try {
    const targets = [first, ...others].map(({ name, address }) => ({
      ...{ name, serverName: address },
      reach: cluster.reach.reach(name, PORTS.patroniRest),
    }));
    return await withMembers(targets, (file) => cluster.execute(first.name, ["cat", file]), use);
  } catch (error) {
    throw new CommandError(messageOf(error), { cause: error });
  }
}

/** The same for members in any place. `read` resolves with the content of a file in one of them. */
export async function withMembers<T>(
  targets: readonly RestMember[],
  read: (file: string) => Promise<string>,
  use: (rest: PatroniRest) => Promise<T>,
): Promise<T> {
  const [ca, secrets] = await Promise.all([
    read("/secrets/tls/ca.crt"),
    read("/secrets/patroni/patroni.yml"),
  ]);
  const { restapi } = parse(secrets) as {
    readonly restapi: { readonly authentication: { readonly username: string; readonly password: string } };
  };
  return withPatroni({ members: targets, ca, ...restapi.authentication }, use);
}
