/**
 * What can be read from a running cluster with access to its platform: its members' secrets, and the output of commands in them.
 */

/** Files by name. */
export type SecretFiles = Readonly<Record<string, string>>;

export interface ExistingCluster {
  /** The secrets of the cluster, by their name in `Platform.secret`. */
  secrets(): Promise<Readonly<Record<string, SecretFiles>>>;
  /** Tries a command in the running members of these workloads until it succeeds in one, and returns its output. Fails if it succeeds in none. */
  run(workloads: readonly string[], command: readonly string[], timeoutSeconds: number): Promise<string>;
}
