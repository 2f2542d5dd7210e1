import { parse } from "yaml";
import type { PatroniRest } from "../components/patroni/rest";
import { withPatroni } from "../components/patroni/rest";
import { PORTS } from "../components/platform/naming";
import { CommandError, execute, type Group, members, runningMember } from "./containers";

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
    return await withMembers(
      [first, ...others].map(({ name }) => name),
      use,
    );
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** The same for the members of those names, of which the first runs. */
export async function withMembers<T>(
  names: readonly string[],
  use: (rest: PatroniRest) => Promise<T>,
): Promise<T> {
  const [one = ""] = names;
  const [ca, secrets] = await Promise.all([
    execute(one, ["cat", "/secrets/tls/ca.crt"]),
    execute(one, ["cat", "/secrets/patroni/patroni.yml"]),
  ]);
  const { restapi } = parse(secrets) as {
    readonly restapi: { readonly authentication: { readonly username: string; readonly password: string } };
  };
  const targets = names.map((name) => ({
    name,
    serverName: name,
    reach: { via: "docker" as const, container: name, port: PORTS.patroniRest },
  }));
  return withPatroni({ members: targets, ca, ...restapi.authentication }, use);
}
