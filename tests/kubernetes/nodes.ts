import { capture } from "../../commands/programs";
import { ours, TOOL, withKubernetes } from "./cluster";

/** Nodes can be added and switched off only where they are this machine's. */
export const ourNodes = ours;
if (withKubernetes && !ours)
  console.log("skipped: losing a node needs the cluster that make kube-up starts, not one of KUBECONFIG");

const numberOf = (node: string): string => node.replace(/^node-/, "");

export async function addNodes(names: readonly string[]): Promise<void> {
  for (const name of names) await capture(TOOL, ["add-node", numberOf(name)]);
}
export const removeNodes = (): Promise<string> => capture(TOOL, ["remove-nodes"]);
export const powerOff = (node: string): Promise<string> => capture(TOOL, ["power-off", numberOf(node)]);
export const powerOn = (node: string): Promise<string> => capture(TOOL, ["power-on", numberOf(node)]);

/** A program of the cluster's own. */
const program = (name: string) => ({
  stop: (): Promise<string> => capture(TOOL, ["stop", name]),
  start: (): Promise<string> => capture(TOOL, ["up"]),
});
export const apiServer = program("kube-apiserver");
export const nameServer = program("coredns");
