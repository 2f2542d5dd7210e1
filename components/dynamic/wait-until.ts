import { interruption, untilInterrupted } from "./interruption";
import { reasonOf } from "./reason";
import { printProgress } from "./progress";

export interface WaitOptions {
  /** What is waited for, for the progress lines and for the error: "etcd members answer". */
  readonly what: string;
  /**
   * After this time the wait fails with the last thing that was wrong; with 0 there is one look, and its reason is the error.
   * Pulumi's own timeouts never reach a dynamic provider.
   */
  readonly deadlineSeconds: number;
  /** Least pause between two looks. Default 500 ms. A look that takes longer is followed by a pause as long, up to 5 s. */
  readonly intervalMs?: number;
  /** More than the reason, such as the end of a log: printed once when a minute has passed, and said with the error at the deadline. */
  readonly explain?: () => Promise<string>;
}

export type Look<T> =
  { readonly done: true; readonly value: T } | { readonly done: false; readonly why: string };

/** By then it is likely that waiting alone will not help. */
const EXPLAIN_AFTER_SECONDS = 60;
/** What a look may still take when the run has been interrupted. Its work is begun anew by the next run, as after any failure. */
const LAST_LOOK_MS = 3000;

/**
 * Looks again and again until it is done or the deadline has passed. An error of a look counts as "not yet", unless it says
 * `permanent: true` or is a mistake of the program. An interrupted run (Ctrl-C) ends it within seconds. What it still waits for is printed
 * when it changes and every ten seconds; the engine shows what a provider prints.
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
  const unanswered: Look<T> = { done: false, why: "the last look did not end" };
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
        `interrupted after ${waited} s, while waiting until ${options.what}. Last seen: ${why}. The next update goes on from there`,
      );
    if (now >= deadline) {
      const explanation = await options.explain?.();
      throw new Error(
        `${options.what}: not within ${options.deadlineSeconds} s. Last seen: ${why}${explanation ? `\n${explanation}` : ""}`,
      );
    }
    // A wait of a second or two is normal and worth no line.
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
    // Looks are slow where a machine is busy, and must not be what keeps it so.
    const pause = Math.max(options.intervalMs ?? 500, Math.min(now - began, 5000));
    await sleep(Math.min(pause, deadline - now), interrupted);
  }
}

/** Ends sooner with `end`. */
const sleep = (ms: number, end?: Promise<void>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void end?.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });

/** An error that a look throws when waiting longer does not help. */
export const permanent = (message: string): Error => Object.assign(new Error(message), { permanent: true });
