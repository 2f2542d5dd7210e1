// What the engine knows of a stack: Pulumi's deployment format, version 3, in one file that is replaced after every step.

import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
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
export function writeAtomically(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.tmp`;
  const handle = openSync(draft, "w", 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(draft, file);
}

/**
 * The resources of a stack while an operation runs. What has been dealt with (`fresh`) stands before what has not
 * (`base`), so that at every moment a resource stands after everything that it depends on.
 * Resource states are never changed in place, which lets each one's text be kept between saves.
 */
export class Snapshot {
  private readonly base: ResourceState[];
  private readonly settled = new Set<ResourceState>();
  private fresh: ResourceState[] = [];
  private pending: Operation[] = [];
  private readonly texts = new WeakMap<object, string>();
  private saved: string | undefined;
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
    this.save();
  }

  /** One step is over: `remove` leaves the state, `add` joins it. */
  settle(change: {
    operation?: Operation;
    remove?: ResourceState;
    add?: ResourceState;
    quiet?: boolean;
  }): void {
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
    if (change.quiet !== true) this.save();
  }

  /** In place of an old state, without becoming one of the resources already dealt with. */
  substitute(old: ResourceState, state: ResourceState): void {
    const at = this.fresh.indexOf(old);
    if (at >= 0) this.fresh[at] = state;
    else this.base[this.base.indexOf(old)] = state;
    this.save();
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

  /** Writes the file if it would say something new. */
  save(): void {
    if (this.file === undefined) return;
    const body = this.body();
    if (body === this.saved) return;
    writeAtomically(this.file, this.text(body));
    this.saved = body;
  }
}
