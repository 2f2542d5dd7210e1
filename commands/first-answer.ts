/** How long to wait for a member before asking the next one as well. patronictl takes less than one second. */
const SILENT_MS = 3_000;

/**
 * Resolves with the first answer. The next member is asked when the previous ones have failed or have not answered in time. If all fail,
 * rejects with the error of the first.
 */
export async function firstAnswer<Answer>(
  names: readonly string[],
  ask: (name: string) => Promise<Answer>,
  silentMs = SILENT_MS,
): Promise<Answer> {
  const answers: Promise<Answer>[] = [];
  for (const name of names) {
    answers.push(ask(name));
    let timer: NodeJS.Timeout | undefined;
    const silent = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), silentMs);
    });
    const answered = Promise.any(answers).then(
      (answer) => ({ answer }),
      () => undefined,
    );
    const found = await Promise.race([answered, silent]);
    clearTimeout(timer);
    if (found !== undefined) return found.answer;
  }
  return Promise.any(answers).catch((error: unknown) => {
    throw error instanceof AggregateError ? error.errors[0] : error;
  });
}
