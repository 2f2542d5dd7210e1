/** A section of haproxy.cfg: its head (`frontend write`) and its lines, each a directive, or a comment that begins with `#`. */
export interface HaproxySection {
  readonly head: string;
  readonly lines: readonly string[];
}

/**
 * A word of a directive, quoted where HAProxy would split or expand it: single quotes keep everything but a single quote.
 * https://docs.haproxy.org/3.0/configuration.html#2.2
 */
export function haproxyWord(text: string): string {
  if (/^[A-Za-z0-9_.,:;/@%+=?&()<>*|~^-]+$/.test(text)) return text;
  if (/[\r\n\0]/.test(text))
    throw new Error(`a word of haproxy.cfg must be a single line: ${JSON.stringify(text)}`);
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function oneLine(text: string): string {
  if (/[\r\n\0]/.test(text))
    throw new Error(`a directive of haproxy.cfg must be a single line: ${JSON.stringify(text)}`);
  return text;
}

/** The sections as text. It ends with a line break: HAProxy refuses a file whose last line has none. */
export function haproxy(sections: readonly HaproxySection[], heading: readonly string[] = []): string {
  const comments = heading.map((line) => `# ${oneLine(line)}\n`).join("");
  const blocks = sections.map(({ head, lines }) =>
    [oneLine(head), ...lines.map((line) => (line === "" ? "" : `    ${oneLine(line)}`))].join("\n"),
  );
  return (comments === "" ? "" : `${comments}\n`) + blocks.join("\n\n") + "\n";
}
