import type { Cluster } from "../cluster";
import { make } from "../stack";

/** How a member's log is read, as a remedy says it. */
export const readLog = ({ stack }: Pick<Cluster, "stack">, member: string): string =>
  `its log says why: ${make(stack, `logs MEMBER=${member} TAIL=50`)}`;
