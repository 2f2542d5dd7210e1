/** Waits of which a test sees the end at once: timers are Jest's in every test of the file, and nothing is printed. */
export function withoutWaiting(): void {
  beforeEach(() => {
    jest.useFakeTimers();
    jest.spyOn(console, "log").mockImplementation(() => {});
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });
}

/** Lets a wait's clock run, and tells how it ended. */
export async function ended<T>(waiting: Promise<T>): Promise<T | Error> {
  const end = waiting.catch((error: unknown) => error as Error);
  await jest.runAllTimersAsync();
  return end;
}
