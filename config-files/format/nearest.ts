import { distance } from "fastest-levenshtein";

/** The known name closest to `name`, or undefined if none is close (more than a third of it would have to change). */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, changes: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.changes - b.changes);
  return best && best.changes <= Math.max(2, Math.ceil(name.length / 3)) ? best.candidate : undefined;
}
