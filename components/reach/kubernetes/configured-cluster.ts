/**
 * Which Kubernetes cluster to use. Pulumi's Kubernetes provider reads it from the settings `kubernetes:kubeconfig` (a path or the text itself)
 * and `kubernetes:context`, both optional (https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/). Our own providers
 * must use the same cluster.
 */
import type * as pulumi from "@pulumi/pulumi";

export interface ConfiguredCluster {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** The provider process serves a single stack. */
let configured: ConfiguredCluster = {};

/** The `configure` of a dynamic provider. The settings are kept in memory only, since a kubeconfig holds credentials. */
export async function keepConfiguredCluster({ config }: pulumi.dynamic.ConfigureRequest): Promise<void> {
  const kubeconfig = config.get("kubernetes:kubeconfig");
  const context = config.get("kubernetes:context");
  configured = {
    ...(kubeconfig && { kubeconfig }),
    ...(context && { context }),
  };
}

export const configuredCluster = (): ConfiguredCluster => configured;
