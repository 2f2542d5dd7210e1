import { Writer, type WriterOptions, type WriterReport } from "../support/writer";
import { expectKept, type Promised } from "../support/promises";
import type { KubernetesStack } from "./cluster";

/** Writes through a stack's entry while something happens to it, and keeps the figures for the suite's end. */
export class WriteGaps {
  private readonly noted: string[] = [];

  constructor(
    private readonly stack: KubernetesStack,
    private readonly members: number,
  ) {}

  /**
   * Writes while `change` happens; nothing acknowledged is lost, nothing waits for longer than is promised, and the cluster becomes whole
   * again. `ca` is what the client trusts where that is not what the stack says.
   */
  async during(
    promised: Promised,
    change: (leader: string, writer: Writer) => Promise<unknown>,
    { ca, ...options }: WriterOptions & { readonly ca?: string } = {},
  ): Promise<WriterReport> {
    const name = promised.row;
    const leader = await this.stack.whole(this.members);
    const target = await this.stack.target("app_readwrite");
    const writer = new Writer({ ...target, ca: ca ?? target.ca }, `${name} ${Date.now()}`, options);
    const report = await writer.during(async () => {
      await change(leader, writer);
      await writer.awaitAcknowledged(100);
      await this.stack.whole(this.members);
      await writer.awaitAcknowledged(100);
    });
    this.noted.push(
      `${name.padEnd(44)} gap ${String(report.longestGapMs).padStart(6)} ms  acknowledged ${String(report.acknowledged).padStart(6)}  unknown ${String(report.unknown).padStart(4)}  lost ${report.lost.length}  (gap ended ${report.longestGapEnded.toISOString().slice(11, 23)})`,
      ...report.errors.map((error) => `  failed: ${error}`),
    );
    expect(report.lost).toEqual([]);
    expectKept(promised, report.longestGapMs);
    return report;
  }

  report = (): void =>
    console.log(`write gaps through the entry of ${this.stack.cluster}:\n${this.noted.join("\n")}`);
}
