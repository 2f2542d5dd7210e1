// What the parts of one run share.

import type { Display } from "./display";
import type { Hooks } from "./hooks";
import type { Limiter } from "./limiter";
import type { Mask } from "./masking";
import { isSecret, type Properties } from "./properties";
import type { Provider, Running } from "./providers/provider";
import { findProvider, type ProviderSource } from "./providers/registry";
import type { ResourceState, Snapshot } from "./state";
import { parseUrn, providerUrn } from "./urn";

export interface Session {
  readonly project: string;
  readonly stack: string;
  readonly dryRun: boolean;
  readonly snapshot: Snapshot;
  readonly display: Display;
  readonly hooks: Hooks;
  readonly mask: Mask;
  readonly limiter: Limiter;
  readonly providers: ProviderSource;
  /** Resources whose deletion has begun, for the option deletedWith. */
  readonly deleted: Set<string>;
}

export const PROVIDER_PREFIX = "pulumi:providers:";

/** The provider of a resource, with the settings of the provider resource that it refers to. */
export function providerOf(session: Session, type: string, reference: string | undefined): Provider {
  const configured =
    reference === undefined ? undefined : session.snapshot.find(providerUrn(reference))?.inputs;
  return findProvider(type, session.providers, hostOf(configured));
}

function hostOf(inputs: Properties | undefined): string | undefined {
  const host = isSecret(inputs?.host) ? inputs.host.value : inputs?.host;
  return typeof host === "string" ? host : undefined;
}

export function runningOf(
  state: ResourceState,
  verb: string,
  status: (message: string) => void = () => undefined,
): Running & { id: string } {
  const { type, name } = parseUrn(state.urn);
  return {
    urn: state.urn,
    type,
    name,
    id: state.id ?? "",
    status,
    timeoutSeconds: state.customTimeouts?.[verb],
  };
}
