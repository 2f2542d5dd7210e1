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

/** The owner id in the stack's state; undefined if it has none. */
async function ownerInState(cli: PulumiCli): Promise<string | undefined> {
  await cli.prepare();
  const text = await captured(cli.invocation(["stack", "export"]));
  const { deployment } = JSON.parse(text) as Exported;
  const owner = deployment?.resources?.find(({ type }) => type.endsWith(":ClusterOwner"))?.inputs?.owner;
  return typeof owner === "string" ? owner : undefined;
}

/**
 * Throws if the stack's cluster belongs to another state, so that this stack does not remove it. A cluster without an ownership mark
 * passes: it was never up.
 */
export async function refuseAnothers(stack: Stack, cli: PulumiCli, what: string): Promise<void> {
  const place = ownerPlace(stack);
  await nameKubernetes(stack);
  const { mark } = await markStore(place).look();
  if (mark === undefined || mark.owner === (await ownerInState(cli))) return;
  throw new CommandError(
    `the cluster ${place.cluster} belongs to the stack ${mark.stack} of the project ${mark.project}, since ${mark.since} ` +
      `(owner ${mark.owner}, recorded in ${whereOf(place)}), not to the state of ${stack.name}: only its owner may run ${what}. Nothing was changed.`,
  );
}
