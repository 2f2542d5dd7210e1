/** A section of haproxy.cfg: its head (`frontend write`) and its lines, each a directive, or a comment that begins with `#`. */
export interface HaproxySection {
  readonly head: string;
  readonly lines: readonly string[];
}

/**
 * A word of a directive, quoted if HAProxy would split or expand it: single quotes protect everything but a single quote.
 * https://docs.haproxy.org/3.0/configuration.html#2.2
 */
export function haproxyWord(text: string): string {
  if (/^[A-Za-z0-9_.,:;/@%+=?&()<>*|~^-]+$/.test(text)) return text;
  if (/[\r\n\0]/.test(text))
    throw new Error(`haproxy.cfg: the word ${JSON.stringify(text)} must be a single line, without NUL`);
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function oneLine(text: string): string {
  if (/[\r\n\0]/.test(text))
    throw new Error(`haproxy.cfg: the directive ${JSON.stringify(text)} must be a single line, without NUL`);
  return text;
}

/** The sections as text, with a final line break: HAProxy rejects a file without one. */
export function haproxy(sections: readonly HaproxySection[], heading: readonly string[] = []): string {
  const comments = heading.map((line) => `# ${oneLine(line)}\n`).join("");
  const blocks = sections.map(({ head, lines }) =>
    [oneLine(head), ...lines.map((line) => (line === "" ? "" : `    ${oneLine(line)}`))].join("\n"),
  );
  return (comments === "" ? "" : `${comments}\n`) + blocks.join("\n\n") + "\n";
}
