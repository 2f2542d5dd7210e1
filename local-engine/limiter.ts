/** The run was asked to stop: what has begun ends, nothing new begins. */
export class Cancelled extends Error {
  constructor() {
    super("the run was cancelled");
  }
}

/** At most so many steps at once. */
export class Limiter {
  private free: number;
  private readonly waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  private closed = false;

  constructor(limit: number) {
    this.free = limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.closed) throw new Cancelled();
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve, reject) => this.waiting.push({ resolve, reject }));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free++;
      else next.resolve();
    }
  }

  close(): void {
    this.closed = true;
    for (const { reject } of this.waiting.splice(0)) reject(new Cancelled());
  }

  get isClosed(): boolean {
    return this.closed;
  }
}
