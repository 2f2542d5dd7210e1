// What the CLI asks of whoever really creates resources, in plain values.

import type { Properties } from "./properties";

export interface ResourceRef {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
}

export interface Running extends ResourceRef {
  /** Shows a line of progress. */
  readonly status: (message: string) => void;
  /** From the option customTimeouts. */
  readonly timeoutSeconds: number | undefined;
}

export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

type Answer<T> = T | Promise<T>;

export interface Checked {
  readonly inputs: Properties;
  readonly failures: readonly CheckFailure[];
}

export interface Diff {
  readonly changedKeys: readonly string[];
  /** Those of them that an update cannot make. */
  readonly replaceKeys: readonly string[];
  readonly deleteBeforeReplace?: boolean;
}

export interface Provider {
  /** Completes and checks the inputs. `olds` is missing when there is no earlier resource to keep choices from. */
  readonly check: (resource: ResourceRef, news: Properties, olds?: Properties) => Answer<Checked>;
  readonly diff: (
    resource: ResourceRef & { id: string },
    olds: { inputs: Properties; outputs: Properties },
    news: Properties,
  ) => Answer<Diff>;
  readonly create: (resource: Running, inputs: Properties) => Answer<{ id: string; outputs: Properties }>;
  /** Undefined: it is gone. */
  readonly read: (
    resource: Running & { id: string },
    inputs: Properties,
    outputs: Properties,
  ) => Answer<{ id: string; outputs: Properties; inputs?: Properties } | undefined>;
  readonly update: (
    resource: Running & { id: string },
    olds: Properties,
    news: Properties,
  ) => Answer<Properties>;
  readonly delete: (
    resource: Running & { id: string },
    inputs: Properties,
    outputs: Properties,
  ) => Answer<void>;
  /** Which outputs are known before the create or update (`olds`) is done; without this: the inputs. */
  readonly preview?: (news: Properties, olds?: Properties) => Properties;
  /** Inputs of something that is there and is to be imported, made from its outputs. Without this nothing can be imported. */
  readonly inputsOf?: (outputs: Properties) => Properties;
}

/** The resource exists, but is not what it should be: it is recorded, and the next update deals with it. */
export class InitFailed extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Properties,
    readonly reasons: readonly string[],
  ) {
    super(message);
  }
}

export function notServed(type: string): Error {
  return new Error(
    `the plugins of this project do not know ${type}, the vendor's do: install the Pulumi CLI (https://www.pulumi.com/docs/install/)`,
  );
}
