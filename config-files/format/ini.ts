/** One line of a section: a setting, a comment, an include (`%include path`, PgBouncer) or an empty line. */
export type IniLine =
  | { readonly key: string; readonly value: string | number }
  | { readonly comment: string }
  | { readonly include: string }
  | "";

export interface IniSection {
  /** Without brackets; `undefined` for lines before the first section. */
  readonly name?: string;
  readonly lines: readonly IniLine[];
}

/** The settings of a plain object, in its order; `undefined` values are left out. */
export function iniSettings(settings: Readonly<Record<string, string | number | undefined>>): IniLine[] {
  return Object.entries(settings).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
}

/** A line break in a value would start another setting, so it is an error. */
function oneLine(text: string, what: string): string {
  if (/[\r\n\0]/.test(text)) throw new Error(`${what} must be a single line: ${JSON.stringify(text)}`);
  return text;
}

function textOf(line: IniLine): string {
  if (line === "") return "";
  if ("comment" in line) return `; ${oneLine(line.comment, "a comment")}`;
  if ("include" in line) return `%include ${oneLine(line.include, "an included path")}`;
  if (!/^[^\s=;#[\]%]+$/.test(line.key))
    throw new Error(
      `${JSON.stringify(line.key)} must be the name of a setting: not empty, without spaces and the characters = ; # [ ] %`,
    );
  return `${line.key} = ${oneLine(String(line.value), line.key)}`.trimEnd();
}

/** The sections as text, separated by empty lines, with a final line break. */
export function ini(sections: readonly IniSection[]): string {
  return sections
    .map(({ name, lines }) => {
      const head = name === undefined ? [] : [`[${oneLine(name, "a section's name")}]`];
      return [...head, ...lines.map(textOf)].join("\n") + "\n";
    })
    .join("\n");
}
