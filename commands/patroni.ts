import { parse } from "yaml";
import type { PatroniRest, RestMember } from "../components/resources/patroni/rest";
import { withPatroni } from "../components/resources/patroni/rest";
import { PORTS } from "../config-files/ports";
import { CommandError, execute, type Group, members, runningMember } from "./containers";
import { messageOf } from "../components/dynamic/reason";

/**
 * Lets `use` speak to Patroni in the members of a group as `up` does, so that both ask in the same way. The password is the one that the
 * members read. What `use` fails with is an operator's to mend.
 */
export async function withGroup<T>(
  stack: string,
  group: Group,
  use: (rest: PatroniRest) => Promise<T>,
): Promise<T> {
  const first = await runningMember(stack, group.workload);
  const others = (await members(stack, group.workload)).filter(({ name }) => name !== first.name);
  try {
    const targets = [first, ...others].map(({ name }) => ({
      ...{ name, serverName: name },
      reach: { via: "docker" as const, container: name, port: PORTS.patroniRest },
    }));
    return await withMembers(targets, (file) => execute(first.name, ["cat", file]), use);
  } catch (error) {
    throw new CommandError(messageOf(error), { cause: error });
  }
}

/** The same for members wherever they run. `read` resolves with a file of one of them. */
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
