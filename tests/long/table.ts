import type { Result } from "./record";

export interface Row {
  readonly name: string;
  readonly result: Result | undefined;
}

/** The figures of a trial, a line for each round; below, of each column of numbers, the middle and the greatest. */
export function formatFigures(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap(({ result }) => Object.keys(result?.figures ?? {})))];
  const lines = rows.map(({ name, result }) => {
    if (result === undefined) return [name, "not run", "", ...columns.map(() => "")];
    const outcome = result.failure === undefined ? "passed" : "FAILED";
    const figures = columns.map((column) => String(result.figures[column] ?? ""));
    return [name, outcome, result.seconds.toFixed(1), ...figures];
  });
  const over = (label: string, choose: (sorted: readonly number[]) => number | undefined): string[] => [
    label,
    "",
    "",
    ...columns.map((column) => {
      const values = rows.map(({ result }) => result?.figures[column]);
      const numbers = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
      return String(choose(numbers) ?? "");
    }),
  ];
  const middle = over("median", (sorted) => sorted[Math.floor((sorted.length - 1) / 2)]);
  const greatest = over("greatest", (sorted) => sorted.at(-1));
  const numeric = middle.some((cell, index) => index > 0 && cell !== "");
  const table = [["round", "", "s", ...columns], ...lines, ...(numeric ? [middle, greatest] : [])];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  const right = (column: number): boolean => column > 1;
  return table
    .map((line) =>
      line
        .map((cell, i) => (right(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
