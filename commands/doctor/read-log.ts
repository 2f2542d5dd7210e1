import type { Cluster } from "../cluster";
import { make } from "../stack";

/** The remedy to read a member's log. */
export const readLog = ({ stack }: Pick<Cluster, "stack">, member: string): string =>
  `its log shows why: ${make(stack, `logs MEMBER=${member} TAIL=50`)}`;
