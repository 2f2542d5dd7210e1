/**
 * Which cluster is meant. Pulumi's Kubernetes provider is told so by the settings `kubernetes:kubeconfig` (a path or the text itself) and
 * `kubernetes:context`, both optional (https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/). What our own
 * providers do must never meet another cluster than the objects that it is for.
 */
import type * as pulumi from "@pulumi/pulumi";

export interface ConfiguredCluster {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** The process of the providers serves one stack. */
let meant: ConfiguredCluster = {};

/** For `configure` of a dynamic provider: in memory only, since a kubeconfig holds credentials. */
export async function keepConfiguredCluster({ config }: pulumi.dynamic.ConfigureRequest): Promise<void> {
  const kubeconfig = config.get("kubernetes:kubeconfig");
  const context = config.get("kubernetes:context");
  meant = {
    ...(kubeconfig && { kubeconfig }),
    ...(context && { context }),
  };
}

export const configuredCluster = (): ConfiguredCluster => meant;
