import { CommandError } from "./command-error";
import { capture } from "./programs";
import { make, type Stack } from "./stack";

/** A resource that a run was creating when it was killed. Whether it exists is not recorded. */
interface PendingCreate {
  readonly urn: string;
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** The output of `pulumi stack export`. */
export interface Exported {
  readonly deployment?: {
    readonly resources?: readonly { readonly urn: string; readonly type: string; readonly id?: string }[];
    readonly pending_operations?: readonly { readonly type: string; readonly resource: PendingCreate }[];
  };
}

const ROOT = "pulumi:pulumi:Stack";
const CONTAINER = "docker:index/container:Container";
const NETWORK = "docker:index/network:Network";

/**
 * Clears the pending creates of a killed run, which the CLI leaves to the user: it would keep warning about them, and a container whose name
 * is taken could not be created. Half-created containers and networks with our labels that are not in the state are removed; data is in volumes.
 * Other resources are adopted by their own create: volumes by name, Kubernetes objects by server-side apply, dynamic resources because
 * they check first.
 * @param exported undefined if the stack is new
 * @param verb the verb that runs next
 * @param ask runs the CLI with the given arguments
 */
export async function settlePending(
  exported: Exported | undefined,
  verb: string,
  stack: Pick<Stack, "name">,
  ask: (args: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const { resources = [], pending_operations: operations = [] } = exported?.deployment ?? {};
  const pending = operations.filter(({ type }) => type === "creating").map(({ resource }) => resource);
  if (pending.length === 0) return;
  const names = pending.map(({ urn }) => urn.split("::").at(-1)).join(", ");
  if (verb === "destroy" && pending.some(({ type }) => type.startsWith("kubernetes:")))
    throw new CommandError(
      `a run was interrupted while it created ${names}, and whether it exists is not known: run ${make(stack, "up")}, which completes it, then ${make(stack, "down")}. Nothing was changed.`,
    );
  const root = resources.find(({ type }) => type === ROOT);
  // Only the root: `up` itself refreshes everything else.
  const refresh = [
    "refresh",
    "--yes",
    "--skip-preview",
    ...(root === undefined ? [] : ["--target", root.urn]),
  ];
  // Fails while another run holds the stack's lock. Then nothing was interrupted: the pending creates belong to that run.
  await ask(refresh);
  console.error(`a run was interrupted while it created ${names}: looking for half-created resources`);
  // The create may have been repeated since. A resource in the state is complete.
  const recorded = new Set(resources.map(({ id }) => id));
  // Containers first: a network can only be removed when it is empty.
  for (const kind of ["container", "network"] as const)
    for (const { type, inputs } of pending)
      if (type === (kind === "container" ? CONTAINER : NETWORK)) await removeHalf(kind, inputs, recorded);
  await ask([...refresh, "--clear-pending-creates"]);
}

async function removeHalf(
  kind: "container" | "network",
  { name, labels }: PendingCreate["inputs"],
  recorded: ReadonlySet<string | undefined>,
): Promise<void> {
  const wanted = (labels ?? []) as readonly { readonly label: string; readonly value: string }[];
  if (typeof name !== "string" || wanted.length === 0) return;
  const format = kind === "container" ? "{{.Id}} {{json .Config.Labels}}" : "{{.Id}} {{json .Labels}}";
  const found = await capture("docker", [kind, "inspect", "--format", format, name]).catch(() => " {}");
  const [id, text = "{}"] = found.trim().split(/ (.*)/s);
  if (id === undefined || recorded.has(id)) return;
  const has = JSON.parse(text) as Readonly<Record<string, string>>;
  if (!wanted.every(({ label, value }) => has[label] === value)) return;
  console.error(`  removing the ${kind} ${name}`);
  // Docker refuses to remove a network with containers in it; the create then reports it.
  await capture("docker", [kind, "rm", ...(kind === "container" ? ["--force"] : []), name]).catch(
    () => undefined,
  );
}
