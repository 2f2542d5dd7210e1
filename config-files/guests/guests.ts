/** What process 1, `status` and `doctor` read in a container about the guests in it: `/etc/guests/guests.json`. */

export const GUESTS_DIRECTORY = "/etc/guests";

/** A process beside the program, in the same container. Its end never ends the program; a fence ends it, and starts it again with the program. */
export interface Companion {
  /** Lower-case letters, digits and hyphens; unique in the container. */
  readonly name: string;
  /** The program with its arguments. There is no shell. */
  readonly command: readonly string[];
  /** Over the container's environment. Never a secret. */
  readonly env?: Readonly<Record<string, string>>;
  /** The most that it takes with all its descendants, in MiB; with more it is killed and started again. The container's limit is raised by it. */
  readonly memoryMiB: number;
  /** From 0 to 1000: how much sooner than the program the kernel takes it when memory runs out. Default 500. https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html */
  readonly oomScoreAdj?: number;
  /** From 0 to 19: how much less of the processor it gets than process 1. Default 10, as the database. */
  readonly nice?: number;
  /** Directories whose change makes it reload. Default none. */
  readonly watch?: readonly string[];
  /** How it reloads. Default: it is started again. */
  readonly reload?: { readonly signal: string } | { readonly command: readonly string[] };
}

/** A question that `make status` and `make doctor` ask in a member: a command that prints one line, and ends with 0 if all is well. */
export interface Check {
  readonly name: string;
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  /** Who is asked: every member, or the leader alone. Default `member`. */
  readonly of?: "member" | "leader";
  /** What to do when it fails; a runbook. */
  readonly remedy: string;
}

/** The file; empty when there is nothing to say. */
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
