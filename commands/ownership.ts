import { whereOf } from "../components/resources/ownership/provider";
import { markStore } from "../components/reach/by-platform";
import { nameKubernetes } from "./cluster";
import { CommandError } from "./command-error";
import { captured } from "./programs";
import type { PulumiCli } from "./pulumi-cli";
import { ownerPlace, type Stack } from "./stack";

interface Exported {
  readonly deployment?: {
    readonly resources?: readonly { readonly type: string; readonly inputs?: { readonly owner?: unknown } }[];
  };
}

/** The id that the stack's state has for its cluster; undefined when it has none. */
async function ownerInState(cli: PulumiCli): Promise<string | undefined> {
  await cli.prepare();
  const text = await captured(cli.invocation(["stack", "export"]));
  const { deployment } = JSON.parse(text) as Exported;
  const owner = deployment?.resources?.find(({ type }) => type.endsWith(":ClusterOwner"))?.inputs?.owner;
  return typeof owner === "string" ? owner : undefined;
}

/**
 * Fails when the stack's cluster belongs to another state: what this one takes away would be another's. Nothing is said of a cluster
 * without a mark, as one that was never up has none.
 */
export async function refuseAnothers(stack: Stack, cli: PulumiCli, what: string): Promise<void> {
  const place = ownerPlace(stack);
  await nameKubernetes(stack);
  const { mark } = await markStore(place).look();
  if (mark === undefined || mark.owner === (await ownerInState(cli))) return;
  throw new CommandError(
    `the cluster ${place.cluster} belongs to the stack ${mark.stack} of the project ${mark.project}, since ${mark.since} ` +
      `(owner ${mark.owner}, written in ${whereOf(place)}), and not to the state of ${stack.name}: ${what} is for its owner. Nothing was changed.`,
  );
}
