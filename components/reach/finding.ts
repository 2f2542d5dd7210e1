/** The result of a check: fine, or what is wrong and how to fix it. */
export interface Finding {
  /** What was checked: a member's name, `etcd`, `disk`. */
  readonly part: string;
  readonly ok: boolean;
  readonly seen: string;
  readonly remedy?: string;
}

export const good = (part: string, seen: string): Finding => ({ part, ok: true, seen });
export const bad = (part: string, seen: string, remedy: string): Finding => ({
  part,
  ok: false,
  seen,
  remedy,
});
