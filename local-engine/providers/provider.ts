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

export interface Provider {
  /** Completes and checks the inputs. `olds` is missing when there is no earlier resource to keep choices from. */
  check(
    resource: ResourceRef,
    news: Properties,
    olds?: Properties,
  ): Promise<{ inputs: Properties; failures: readonly CheckFailure[] }>;
  diff(
    resource: ResourceRef & { id: string },
    olds: { inputs: Properties; outputs: Properties },
    news: Properties,
    ignoreChanges: readonly string[],
  ): Promise<Diff>;
  create(resource: Running, inputs: Properties): Promise<{ id: string; outputs: Properties }>;
  /** Undefined: it is gone. */
  read(
    resource: Running & { id: string },
    inputs: Properties,
    outputs: Properties,
  ): Promise<{ id: string; outputs: Properties; inputs?: Properties } | undefined>;
  update(resource: Running & { id: string }, olds: Properties, news: Properties): Promise<Properties>;
  delete(resource: Running & { id: string }, inputs: Properties, outputs: Properties): Promise<void>;
  /** Which outputs are known before the create or update (`olds`) is done; without this: the inputs. */
  preview?(news: Properties, olds?: Properties): Properties;
  /** Removes what a killed run may have created without recording it; says what it removed. */
  cleanUp?(resource: Running, inputs: Properties, since: Date): Promise<string | undefined>;
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
