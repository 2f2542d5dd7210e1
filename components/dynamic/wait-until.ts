import { interruption, untilInterrupted } from "./interruption";
import { reasonOf } from "./reason";
import { printProgress } from "./progress";

export interface WaitOptions {
  /** The awaited condition, for progress lines and the error: "etcd members answer". */
  readonly what: string;
  /**
   * After this time the wait fails with the last reason. With 0 the condition is checked once.
   * Pulumi's own timeouts do not apply to dynamic providers.
   */
  readonly deadlineSeconds: number;
  /** Minimum pause between two checks. Default 500 ms. A check that takes longer is followed by a pause of the same length, up to 5 s. */
  readonly intervalMs?: number;
  /** More details than the reason, such as the end of a log. Printed once after a minute, and part of the error at the deadline. */
  readonly explain?: () => Promise<string>;
}

export type Look<T> =
  { readonly done: true; readonly value: T } | { readonly done: false; readonly why: string };

/** By then it is likely that waiting alone will not help. */
const EXPLAIN_AFTER_SECONDS = 60;
/** How long a check may still take after the run was interrupted. The next run repeats its work, as after any failure. */
const LAST_LOOK_MS = 3000;

/**
 * Repeats a check until it is done or the deadline has passed. An error of a check counts as "not yet", unless it has
 * `permanent: true` or is a programming error. An interrupted run (Ctrl-C) ends the wait within seconds. The reason for waiting is printed
 * when it changes and every ten seconds.
 */
export async function waitUntil<T>(options: WaitOptions, look: () => Promise<Look<T>>): Promise<T> {
  const { passed, forget } = untilInterrupted();
  try {
    return await looking(options, look, passed);
  } finally {
    forget();
  }
}

async function looking<T>(
  options: WaitOptions,
  look: () => Promise<Look<T>>,
  interrupted: Promise<void>,
): Promise<T> {
  const started = Date.now();
  const deadline = started + options.deadlineSeconds * 1000;
  const unanswered: Look<T> = { done: false, why: "the last check did not finish" };
  let lastWhy = "";
  let lastPrinted = started;
  let explained = options.explain === undefined;
  for (;;) {
    const began = Date.now();
    let why: string;
    try {
      const noMoreTime = interrupted.then(() => sleep(LAST_LOOK_MS)).then(() => unanswered);
      const seen = await Promise.race([look(), noMoreTime]);
      if (seen.done) return seen.value;
      why = seen.why;
    } catch (error) {
      why = reasonOf(error);
      if ((error as { permanent?: boolean } | null)?.permanent === true) throw error;
    }
    const now = Date.now();
    if (options.deadlineSeconds === 0) throw new Error(why);
    const waited = Math.round((now - started) / 1000);
    if (interruption().aborted)
      throw new Error(
        `interrupted after ${waited} s, while waiting until ${options.what}. Last seen: ${why}. The next update continues from there`,
      );
    if (now >= deadline) {
      const explanation = await options.explain?.();
      throw new Error(
        `${options.what}: timed out after ${options.deadlineSeconds} s. Last seen: ${why}${explanation ? `\n${explanation}` : ""}`,
      );
    }
    // A wait of one or two seconds is normal and not worth a line.
    if (waited >= 2 && (why !== lastWhy || now - lastPrinted >= 10_000)) {
      printProgress(`waiting until ${options.what} (${waited} s of ${options.deadlineSeconds} s): ${why}`);
      lastWhy = why;
      lastPrinted = now;
    }
    if (!explained && waited >= EXPLAIN_AFTER_SECONDS) {
      explained = true;
      const explanation = await options.explain?.();
      if (explanation) printProgress(explanation);
    }
    // Checks are slow on a busy machine and must not add to its load.
    const pause = Math.max(options.intervalMs ?? 500, Math.min(now - began, 5000));
    await sleep(Math.min(pause, deadline - now), interrupted);
  }
}

/** Resolves earlier if `end` does. */
const sleep = (ms: number, end?: Promise<void>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void end?.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });

/** An error for a check to throw if waiting longer does not help. */
export const permanent = (message: string): Error => Object.assign(new Error(message), { permanent: true });
