/** The text of an owner's mark. */
import type { Mark } from "./owner-place";

export const markText = ({ owner, stack, project, since }: Mark): string =>
  `${JSON.stringify({ owner, stack, project, since })}\n`;

/** Never undefined for a text: one that cannot be read belongs to somebody, too. */
export function readMark(text: string): Mark {
  let read: Partial<Record<keyof Mark, unknown>>;
  try {
    read = (JSON.parse(text) ?? {}) as typeof read;
  } catch {
    read = {};
  }
  const say = (value: unknown): string =>
    typeof value === "string" && value !== "" ? value : "(unreadable)";
  return {
    owner: say(read.owner),
    stack: say(read.stack),
    project: say(read.project),
    since: say(read.since),
  };
}
