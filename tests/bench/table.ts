/** What a measurement found. */
export interface Figure {
  readonly figure: string;
  /** To what it is compared with. */
  readonly ratio?: number;
  readonly goal?: string;
  /** Undefined where there is no goal. */
  readonly met?: boolean;
}

/** A line of the table; one without a figure could not be measured. */
export interface Line {
  readonly name: string;
  readonly measured?: Figure;
}

const HEAD = ["measured", "figure", "ratio", "goal", ""];

export function formatTable(lines: readonly Line[]): string {
  const rows = [HEAD, ...lines.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const text = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const rule = "-".repeat(Math.max(...text.map((line) => line.length)));
  return [text[0], rule, ...text.slice(1)].join("\n");
}

function cells({ name, measured }: Line): string[] {
  if (!measured) return [name, "could not be measured", "", "", "FAILED"];
  const { figure, ratio, goal, met } = measured;
  const verdict = met === undefined ? "" : met ? "met" : "NOT MET";
  return [name, figure, ratio === undefined ? "" : `${ratio.toFixed(2)}x`, goal ?? "", verdict];
}

export const seconds = (value: number, digits = 1): string => `${value.toFixed(digits)} s`;

/** Smallest, middle and greatest of some measurements. */
export function spread(values: readonly number[]): { min: number; median: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => {
    const value = sorted[index];
    if (value === undefined) throw new Error("nothing was measured");
    return value;
  };
  return { min: at(0), median: at(Math.floor((sorted.length - 1) / 2)), max: at(sorted.length - 1) };
}
