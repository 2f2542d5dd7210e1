/** `/etc/guests/guests.json` describes the guests in a container. The supervisor (PID 1), `status` and `doctor` read it. */

export const GUESTS_DIRECTORY = "/etc/guests";

/** A process beside the program, in the same container. If it exits, the program keeps running. Fencing stops it and restarts it with the program. */
export interface Companion {
  /** Lower-case letters, digits and hyphens; unique in the container. */
  readonly name: string;
  /** The program with its arguments. There is no shell. */
  readonly command: readonly string[];
  /** Variables added to the container's environment. Do not put secrets here. */
  readonly env?: Readonly<Record<string, string>>;
  /** Memory limit with all its child processes, in MiB. Above it, it is killed and restarted. The container's limit is raised by this amount. */
  readonly memoryMiB: number;
  /** From 0 to 1000: how much the OOM killer prefers it over the program. Default 500. https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html */
  readonly oomScoreAdj?: number;
  /** Nice value from 0 to 19, relative to PID 1. Default 10, the same as the database. */
  readonly nice?: number;
  /** Directories whose changes make it reload. Default: none. */
  readonly watch?: readonly string[];
  /** How it reloads. Default: it is restarted. */
  readonly reload?: { readonly signal: string } | { readonly command: readonly string[] };
}

/** A check that `make status` and `make doctor` run in a member: a command that prints one line and exits with 0 on success. */
export interface Check {
  readonly name: string;
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  /** Where it runs: on every member, or only on the leader. Default `member`. */
  readonly of?: "member" | "leader";
  /** What to do if it fails, such as a runbook. */
  readonly remedy: string;
}

/** The file's content; empty if there are no companions or checks. */
export function guestsJson(
  guests: readonly {
    readonly companions?: readonly Companion[];
    readonly checks?: readonly Check[];
  }[],
): string {
  const companions = guests.flatMap((guest) => guest.companions ?? []);
  const checks = guests.flatMap((guest) => guest.checks ?? []);
  if (companions.length + checks.length === 0) return "";
  return (
    JSON.stringify(
      {
        companions: companions.map((companion) => ({ oomScoreAdj: 500, nice: 10, ...companion })),
        checks: checks.map((check) => ({ of: "member", ...check })),
      },
      undefined,
      2,
    ) + "\n"
  );
}
