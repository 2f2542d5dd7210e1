import { tell } from "./tell";

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

/**
 * Looks again and again until it is done or the deadline has passed. An error of a look counts as "not yet", unless it says
 * `permanent: true`. What it still waits for is printed when it changes and every ten seconds; the engine shows what a provider prints.
 */
export async function waitUntil<T>(options: WaitOptions, look: () => Promise<Look<T>>): Promise<T> {
  const started = Date.now();
  const deadline = started + options.deadlineSeconds * 1000;
  let lastWhy = "";
  let lastPrinted = started;
  let explained = options.explain === undefined;
  for (;;) {
    const began = Date.now();
    let why: string;
    try {
      const seen = await look();
      if (seen.done) return seen.value;
      why = seen.why;
    } catch (error) {
      if ((error as { permanent?: boolean }).permanent === true) throw error;
      why = error instanceof Error ? error.message : String(error);
    }
    const now = Date.now();
    if (options.deadlineSeconds === 0) throw new Error(why);
    if (now >= deadline) {
      const explanation = await options.explain?.();
      throw new Error(
        `${options.what}: not within ${options.deadlineSeconds} s. Last seen: ${why}${explanation ? `\n${explanation}` : ""}`,
      );
    }
    // A wait of a second or two is normal and worth no line.
    const waited = Math.round((now - started) / 1000);
    if (waited >= 2 && (why !== lastWhy || now - lastPrinted >= 10_000)) {
      tell(`waiting until ${options.what} (${waited} s of ${options.deadlineSeconds} s): ${why}`);
      lastWhy = why;
      lastPrinted = now;
    }
    if (!explained && waited >= EXPLAIN_AFTER_SECONDS) {
      explained = true;
      const explanation = await options.explain?.();
      if (explanation) tell(explanation);
    }
    // Looks are slow where a machine is busy, and must not be what keeps it so.
    const pause = Math.max(options.intervalMs ?? 500, Math.min(now - began, 5000));
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, deadline - now)));
  }
}

/** An error that a look throws when waiting longer does not help. */
export const permanent = (message: string): Error => Object.assign(new Error(message), { permanent: true });
