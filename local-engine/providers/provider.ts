// What the engine asks of whoever really creates resources. Values come without secret wrapping.

import type { Diff } from "../plan";
import type { Properties } from "../properties";

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

export interface Provider {
  /** Completes and checks the inputs. `olds` is missing when there is no earlier resource to keep choices from. */
  readonly check: (resource: ResourceRef, news: Properties, olds?: Properties) => Answer<Checked>;
  readonly diff: (
    resource: ResourceRef & { id: string },
    olds: { inputs: Properties; outputs: Properties },
    news: Properties,
    ignoreChanges: readonly string[],
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
  /** Removes what a killed run may have created without recording it; says what it removed. */
  readonly cleanUp?: (resource: Running, inputs: Properties, since: Date) => Promise<string | undefined>;
}

/** The resource exists, but is not what it should be: it is recorded, and the next update deals with it. */
export class InitFailed extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Properties,
    readonly reasons: readonly string[],
    /** An update cannot mend it. */
    readonly needsReplacement = false,
  ) {
    super(message);
  }
}
