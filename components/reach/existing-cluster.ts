/**
 * What a running cluster tells whoever controls its platform: the secrets that its members have, and what they answer from inside.
 */

/** Files by name. */
export type SecretFiles = Readonly<Record<string, string>>;

export interface ExistingCluster {
  /** The secrets of the cluster, by the name under which `Platform.secret` keeps them. */
  secrets(): Promise<Readonly<Record<string, SecretFiles>>>;
  /** Runs a command in the first of the running members of these workloads in which it succeeds; what it prints. Fails when there is none. */
  run(workloads: readonly string[], command: readonly string[], timeoutSeconds: number): Promise<string>;
}
