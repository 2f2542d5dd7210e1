// What the engine knows of a stack: Pulumi's deployment format, version 3, in one file that is replaced after every step.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault } from "./fault";
import type { Properties, Value } from "./properties";
import { type Crypter } from "./secrets";

export interface ResourceState {
  readonly urn: string;
  readonly custom: boolean;
  /** Replaced by a newer one; still to be deleted. */
  readonly delete?: boolean;
  readonly id?: string;
  readonly type: string;
  readonly inputs?: Properties;
  readonly outputs?: Properties;
  readonly parent?: string;
  readonly protect?: boolean;
  /** To be replaced by the next update: a create that left something broken behind. */
  readonly taint?: boolean;
  readonly external?: boolean;
  readonly dependencies?: readonly string[];
  /** Created, but not what it should be. */
  readonly initErrors?: readonly string[];
  readonly provider?: string;
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
  /** Deleted before its replacement, which is still to be created. */
  readonly pendingReplacement?: boolean;
  readonly additionalSecretOutputs?: readonly string[];
  readonly aliases?: readonly string[];
  readonly customTimeouts?: Readonly<Record<string, number>>;
  readonly retainOnDelete?: boolean;
  readonly deletedWith?: string;
  readonly replaceWith?: readonly string[];
  readonly created?: string;
  readonly modified?: string;
  readonly ignoreChanges?: readonly string[];
  readonly replaceOnChanges?: readonly string[];
  readonly resourceHooks?: Readonly<Record<string, readonly string[]>>;
}

export type OperationKind = "creating" | "updating" | "deleting" | "reading";

export interface Operation {
  readonly resource: ResourceState;
  readonly type: OperationKind;
}

interface Deployment {
  manifest: { time: string; magic: string; version: string };
  secrets_providers?: { type: string; state: { salt: string } };
  resources?: ResourceState[];
  pending_operations?: Operation[];
  metadata: object;
}

export interface StateFile {
  version: number;
  deployment: Deployment;
}

/** The engine version that the manifest names: the oldest whose format this is. */
const MANIFEST_VERSION = "v3.259.0";

export function readState(file: string): StateFile | undefined {
  if (!existsSync(file)) return undefined;
  let parsed: StateFile;
  try {
    parsed = JSON.parse(readFileSync(file, "utf8")) as StateFile;
  } catch (error) {
    throw new Fault(`the state ${file} cannot be read: ${(error as Error).message}`);
  }
  if (parsed.version !== 3)
    throw new Fault(`the state ${file} has version ${parsed.version}; this engine reads version 3`);
  const provider = parsed.deployment.secrets_providers?.type ?? "passphrase";
  if (provider !== "passphrase")
    throw new Fault(
      `the secrets in ${file} belong to the provider ${provider}; this engine knows passphrases only`,
    );
  return parsed;
}

/** The whole new text or the whole old one, whenever the machine stops. */
async function writeAtomically(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.tmp`;
  const handle = await open(draft, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}

/**
 * The resources of a stack while an operation runs. What has been dealt with (`fresh`) stands before what has not
 * (`base`), so that at every moment a resource stands after everything that it depends on.
 * Resource states are never changed in place, which lets each one's text be kept between saves.
 *
 * Changes are made at once and are on disk when `flush` resolves: a step waits for that before it begins and before it is over.
 */
export class Snapshot {
  private readonly base: ResourceState[];
  private readonly settled = new Set<ResourceState>();
  private fresh: ResourceState[] = [];
  private pending: Operation[] = [];
  private readonly texts = new WeakMap<object, string>();
  private saved: string | undefined;
  private writing: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  /** What an earlier run was in the middle of when it was killed. */
  readonly interrupted: readonly Operation[];

  constructor(
    stored: StateFile | undefined,
    private readonly crypter: Crypter,
    /** Undefined in previews: nothing is written. */
    private readonly file: string | undefined,
  ) {
    const open = (resource: ResourceState): ResourceState => {
      const opened = crypter.open(resource as unknown as Value) as unknown as ResourceState;
      this.texts.set(opened, JSON.stringify(resource));
      return opened;
    };
    this.base = (stored?.deployment.resources ?? []).map(open);
    this.interrupted = (stored?.deployment.pending_operations ?? []).map((operation) => ({
      type: operation.type,
      resource: open(operation.resource),
    }));
    this.pending = [...this.interrupted];
    if (stored !== undefined) this.saved = this.body();
  }

  resources(): ResourceState[] {
    return [...this.fresh, ...this.base.filter((resource) => !this.settled.has(resource))];
  }

  find(urn: string): ResourceState | undefined {
    return this.resources().find((resource) => resource.urn === urn && resource.delete !== true);
  }

  begin(operation: Operation): void {
    this.pending.push(operation);
  }

  /** One step is over: `remove` leaves the state, `add` joins it. */
  settle(change: { operation?: Operation; remove?: ResourceState; add?: ResourceState }): void {
    if (change.operation !== undefined)
      this.pending = this.pending.filter((each) => each !== change.operation);
    if (change.remove !== undefined) {
      const at = this.fresh.indexOf(change.remove);
      if (at < 0) this.settled.add(change.remove);
      else if (change.add !== undefined) {
        // In place: dependents that are already in the list must stay behind it.
        this.fresh[at] = change.add;
        change = { ...change, add: undefined };
      } else this.fresh.splice(at, 1);
    }
    if (change.add !== undefined) this.fresh.push(change.add);
  }

  /** In place of an old state, without becoming one of the resources already dealt with. */
  substitute(old: ResourceState, state: ResourceState): void {
    const at = this.fresh.indexOf(old);
    if (at >= 0) this.fresh[at] = state;
    else this.base[this.base.indexOf(old)] = state;
  }

  private body(): string {
    const text = (value: object): string => {
      let known = this.texts.get(value);
      if (known === undefined) {
        known = JSON.stringify(this.crypter.seal(value as Value));
        this.texts.set(value, known);
      }
      return known;
    };
    const resources = this.resources().map(text).join(",\n");
    const pending = this.pending
      .map((each) => `{"resource":${text(each.resource)},"type":"${each.type}"}`)
      .join(",\n");
    const provider = JSON.stringify({ type: "passphrase", state: { salt: this.crypter.salt } });
    return (
      `"secrets_providers":${provider},\n"resources":[${resources}],\n` +
      (pending === "" ? "" : `"pending_operations":[${pending}],\n`) +
      `"metadata":{}`
    );
  }

  export(): StateFile {
    return JSON.parse(this.text(this.body())) as StateFile;
  }

  private text(body: string): string {
    const magic = createHash("sha256").update(MANIFEST_VERSION).digest("hex");
    const manifest = JSON.stringify({ time: new Date().toISOString(), magic, version: MANIFEST_VERSION });
    return `{"version":3,"deployment":{"manifest":${manifest},\n${body}}}\n`;
  }

  /** Resolves when the file says what is known now. What changes while it is written shares the next writing with all others. */
  flush(): Promise<void> {
    this.next ??= this.writing
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return (this.writing = this.write());
      });
    return this.next;
  }

  private async write(): Promise<void> {
    if (this.file === undefined) return;
    const body = this.body();
    if (body === this.saved) return;
    await writeAtomically(this.file, this.text(body));
    this.saved = body;
  }
}
