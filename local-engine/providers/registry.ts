// Which provider serves which type.

import { Fault } from "../fault";
import type { Provider } from "./provider";

const INSTALL = "Install it (https://www.pulumi.com/docs/install/) and run `pulumi` with the same verb.";

/** The package in a type token: `docker` in docker:index/container:Container. */
export function packageOf(type: string): string {
  return type.slice(0, type.indexOf(":"));
}

export interface ProviderSource {
  /** Providers are loaded when first used: most runs need few of them. */
  dynamic(): Provider;
  docker(type: string, host: string | undefined): Provider;
  random(type: string): Provider;
  /** Of a package that the engine does not serve itself; undefined when nobody does. */
  further(type: string): Provider | undefined;
}

/** What the module that LOCAL_ENGINE_PROVIDERS names exports: a provider for each further package. Tests bring some that way. */
export interface FurtherProviders {
  readonly providers: Readonly<Record<string, (type: string) => Provider>>;
}

export function findProvider(type: string, source: ProviderSource, dockerHost?: string): Provider {
  switch (packageOf(type)) {
    case "pulumi-nodejs":
      return source.dynamic();
    case "docker":
      return source.docker(type, dockerHost);
    case "random":
      return source.random(type);
  }
  const further = source.further(type);
  if (further !== undefined) return further;
  switch (packageOf(type)) {
    case "kubernetes":
      throw new Fault(
        `the local engine runs Docker stacks only; this stack creates Kubernetes resources (${type}) and needs the Pulumi CLI. ${INSTALL}`,
      );
    default:
      throw notServed(type);
  }
}

export function notServed(type: string): Fault {
  return new Fault(`the local engine has no provider for ${type}; the Pulumi CLI has. ${INSTALL}`);
}
