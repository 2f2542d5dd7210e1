import { CommandError } from "./command-error";
import { capture } from "./programs";

/** A resource that a run was creating when it was killed; whether it is there nobody has recorded. */
interface PendingCreate {
  readonly urn: string;
  readonly type: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** What `pulumi stack export` prints. */
export interface Exported {
  readonly deployment?: {
    readonly resources?: readonly { readonly urn: string; readonly type: string; readonly id?: string }[];
    readonly pending_operations?: readonly { readonly type: string; readonly resource: PendingCreate }[];
  };
}

const STACK = "pulumi:pulumi:Stack";
const CONTAINER = "docker:index/container:Container";
const NETWORK = "docker:index/network:Network";

/**
 * Settles what a killed run was creating, since the CLI leaves that to a person: it would go on to warn of it, and a container whose name is
 * taken could not be created. What is there by halves, with our labels and in no state, is removed; its data are in volumes. Other kinds
 * are found again by their own create: volumes by their name, objects of Kubernetes since they are applied, dynamic resources since they look first.
 * @param exported undefined: the stack is a new one
 * @param verb the one that is to follow
 * @param ask runs the CLI with these arguments
 */
export async function settlePending(
  exported: Exported | undefined,
  verb: string,
  ask: (args: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const { resources = [], pending_operations: operations = [] } = exported?.deployment ?? {};
  const pending = operations.filter(({ type }) => type === "creating").map(({ resource }) => resource);
  if (pending.length === 0) return;
  const names = pending.map(({ urn }) => urn.split("::").at(-1)).join(", ");
  if (verb === "destroy" && pending.some(({ type }) => type.startsWith("kubernetes:")))
    throw new CommandError(
      `a run was interrupted while it created ${names}, and whether that is there is not known: 'make up' finishes it, then 'make down' takes it down. Nothing was changed.`,
    );
  const root = resources.find(({ type }) => type === STACK);
  // No more than it takes: `up` itself looks at everything else.
  const refresh = [
    "refresh",
    "--yes",
    "--skip-preview",
    ...(root === undefined ? [] : ["--target", root.urn]),
  ];
  // Fails while another run holds the stack's lock: then nothing was interrupted, and what is there by halves is that run's.
  await ask(refresh);
  console.error(`a run was interrupted while it created ${names}: looking for what is there by halves`);
  // A create may have been repeated since, by hand: what the state has is none by halves.
  const recorded = new Set(resources.map(({ id }) => id));
  // Containers first: a network can go when none is in it.
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
  // A network with containers in it is refused by Docker, and the create says so.
  await capture("docker", [kind, "rm", ...(kind === "container" ? ["--force"] : []), name]).catch(
    () => undefined,
  );
}
