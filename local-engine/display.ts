// What the person at the terminal sees: one line a step, in the words of the Pulumi CLI; on a terminal also the steps
// that are under way, with what they are doing right now.

import { stripVTControlCharacters } from "node:util";
import type { Mask } from "./masking";
import { isSecret, type Properties, UNKNOWN, type Value } from "./properties";
import { label, STACK_TYPE } from "./urn";

export type Op =
  | "create"
  | "update"
  | "replace"
  | "delete"
  | "same"
  | "delete-replaced"
  | "create-replacement"
  | "read"
  | "import"
  | "refresh";
export type Severity = "debug" | "info" | "warning" | "error";

const WORDS: Record<Op, { mark: string; doing: string; done: string; plan: string }> = {
  create: { mark: "+", doing: "creating", done: "created", plan: "create" },
  update: { mark: "~", doing: "updating", done: "updated", plan: "update" },
  replace: { mark: "+-", doing: "replacing", done: "replaced", plan: "replace" },
  delete: { mark: "-", doing: "deleting", done: "deleted", plan: "delete" },
  same: { mark: " ", doing: "checking", done: "unchanged", plan: "same" },
  "delete-replaced": {
    mark: "--",
    doing: "deleting original",
    done: "deleted original",
    plan: "delete original",
  },
  "create-replacement": {
    mark: "++",
    doing: "creating replacement",
    done: "created replacement",
    plan: "create replacement",
  },
  read: { mark: ">", doing: "reading", done: "read", plan: "read" },
  import: { mark: "=", doing: "importing", done: "imported", plan: "import" },
  refresh: { mark: "~", doing: "refreshing", done: "refreshed", plan: "refresh" },
};

export interface Counts {
  create: number;
  update: number;
  replace: number;
  delete: number;
  same: number;
  import: number;
}

export interface Step {
  status(message: string): void;
  done(detail?: string): void;
  failed(): void;
}

interface Active {
  readonly op: Op;
  readonly urn: string;
  readonly since: number;
  status: string;
}

const REDRAW_MS = 120;
/** Without a terminal: how often a long step says that it is still at it, and with what. */
const HEARTBEAT_MS = 10_000;

export class Display {
  readonly counts: Counts = { create: 0, update: 0, replace: 0, delete: 0, same: 0, import: 0 };
  readonly diagnostics: { urn: string; severity: Severity; message: string }[] = [];
  private readonly active = new Set<Active>();
  private readonly started = Date.now();
  private drawn = 0;
  private timer: NodeJS.Timeout | undefined;
  private heartbeat: NodeJS.Timeout | undefined;
  private failures = 0;

  constructor(
    private readonly mask: Mask,
    private readonly preview: boolean,
    /** JSON output: nothing else on standard output. */
    private readonly quiet: boolean,
    private readonly out: NodeJS.WriteStream = process.stdout,
  ) {
    if (out.isTTY && !quiet) {
      this.timer = setInterval(() => this.redraw(), REDRAW_MS);
      this.timer.unref();
    } else {
      this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
      this.heartbeat.unref();
    }
  }

  headline(text: string): void {
    this.line(`${text}\n`);
  }

  /** A step of a resource begins. */
  begin(op: Op, urn: string): Step {
    const entry: Active = { op, urn, since: Date.now(), status: "" };
    this.active.add(entry);
    const words = WORDS[op];
    if (!this.preview && this.timer === undefined) this.stepLine(op, urn, `${words.doing} (0s)`);
    const end = (text: string): void => {
      this.active.delete(entry);
      this.stepLine(op, urn, text);
    };
    const took = (): string => `(${((Date.now() - entry.since) / 1000).toFixed(2)}s)`;
    return {
      status: (message) => {
        entry.status = message;
      },
      done: (detail) =>
        end([this.preview ? words.plan : `${words.done} ${took()}`, detail].filter(Boolean).join(" ")),
      failed: () => end(`**${words.doing} failed** ${took()}`),
    };
  }

  count(op: keyof Counts): void {
    this.counts[op]++;
  }

  /** A message of the program, a provider or the engine about a resource, or about the whole stack (`urn` empty). */
  diagnostic(severity: Severity, urn: string, message: string, ephemeral = false): void {
    // The SDK sends thousands, and hiding the secrets in them took longer than all else that the engine does in a preview.
    if (severity === "debug") return;
    // Colours that the program chose for a terminal of its own.
    const text = this.mask.hide(stripVTControlCharacters(message)).trimEnd();
    if (text === "") return;
    if (ephemeral) {
      for (const entry of this.active) if (entry.urn === urn) entry.status = text.split("\n").at(-1) ?? "";
      if (this.timer === undefined) this.stepLine("same", urn, text);
      return;
    }
    if (severity === "error") this.failures++;
    this.diagnostics.push({ urn, severity, message: text });
    const [first = "", ...rest] = text.split("\n");
    this.stepLine(
      "same",
      urn,
      `${severity === "info" ? "" : `${severity}: `}${first}${rest.length > 0 ? " ..." : ""}`,
    );
  }

  failed(): boolean {
    return this.failures > 0;
  }

  complain(message: string): void {
    process.stderr.write(`error: ${this.mask.hide(message)}\n`);
  }

  private outputs(outputs: Properties | undefined, showSecrets: boolean): void {
    const entries = Object.entries(outputs ?? {});
    if (entries.length === 0) return;
    const width = Math.max(...entries.map(([key]) => key.length));
    this.line("Outputs:");
    for (const [key, value] of entries.sort(([left], [right]) => left.localeCompare(right))) {
      this.line(`    ${key.padEnd(width)}: ${formatOutput(value, showSecrets)}`, showSecrets);
    }
    this.line("");
  }

  summary(outputs: Properties | undefined, showSecrets: boolean): void {
    this.stopDrawing();
    if (this.quiet) return;
    this.line("");
    this.diagnosticsByResource();
    this.outputs(outputs, showSecrets);
    const { create, update, replace, delete: deleted, same, import: imported } = this.counts;
    const part = (count: number, mark: string, done: string, plan: string): string[] =>
      count === 0 ? [] : [`    ${mark} ${count} ${this.preview ? plan : done}`];
    const changes = create + update + replace + deleted + imported;
    this.line("Resources:");
    const lines = [
      ...part(create, "+", "created", "to create"),
      ...part(update, "~", "updated", "to update"),
      ...part(deleted, "-", "deleted", "to delete"),
      ...part(replace, "+-", "replaced", "to replace"),
      ...part(imported, "=", "imported", "to import"),
    ];
    for (const text of lines) this.line(text);
    if (changes > 0)
      this.line(
        `    ${changes} ${changes === 1 ? "change" : "changes"}${same > 0 ? `. ${same} unchanged` : ""}`,
      );
    else this.line(`    ${same} unchanged`);
    this.line(`\nDuration: ${formatDuration(Date.now() - this.started)}\n`);
  }

  private diagnosticsByResource(): void {
    if (this.diagnostics.length === 0) return;
    this.line("Diagnostics:");
    for (const urn of new Set(this.diagnostics.map((each) => each.urn))) {
      const { type, name } = urn === "" ? { type: STACK_TYPE, name: "" } : label(urn);
      this.line(`  ${type}${name === "" ? "" : ` (${name})`}:`);
      for (const each of this.diagnostics.filter((candidate) => candidate.urn === urn)) {
        const text = `${each.severity === "info" ? "" : `${each.severity}: `}${each.message}`;
        for (const line of text.split("\n")) this.line(`    ${line}`);
      }
      this.line("");
    }
  }

  private stepLine(op: Op, urn: string, text: string): void {
    const { type, name } = urn === "" ? { type: STACK_TYPE, name: "" } : label(urn);
    this.line(` ${WORDS[op].mark.padEnd(2)} ${type} ${name} ${text}`);
  }

  private line(text: string, unmasked = false): void {
    if (this.quiet) return;
    this.erase();
    this.out.write(`${unmasked ? text : this.mask.hide(text)}\n`);
  }

  private beat(): void {
    for (const { op, urn, since, status } of this.active) {
      const seconds = Math.floor((Date.now() - since) / 1000);
      if (seconds > 0) this.stepLine(op, urn, `${WORDS[op].doing} (${seconds}s) ${status}`.trimEnd());
    }
  }

  private redraw(): void {
    this.erase();
    const width = this.out.columns - 1;
    const room = Math.max(1, this.out.rows - 2);
    const rows = [...this.active].slice(0, room).map(({ op, urn, since, status }) => {
      const { type, name } = label(urn);
      const seconds = Math.floor((Date.now() - since) / 1000);
      return ` ${WORDS[op].mark.padEnd(2)} ${type} ${name} ${WORDS[op].doing} (${seconds}s) ${this.mask.hide(status)}`.slice(
        0,
        width,
      );
    });
    if (rows.length === 0) return;
    this.out.write(`${rows.join("\n")}\n`);
    this.drawn = rows.length;
  }

  private erase(): void {
    if (this.drawn === 0) return;
    this.out.write(`\x1b[${this.drawn}A\x1b[J`);
    this.drawn = 0;
  }

  private stopDrawing(): void {
    this.erase();
    clearInterval(this.timer);
    clearInterval(this.heartbeat);
    this.timer = undefined;
  }
}

function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

/** Outputs for people: as JSON with the secrets covered, at any depth. */
export function formatOutput(value: Value, showSecrets: boolean): string {
  return JSON.stringify(coverSecrets(value, showSecrets), null, 4).replace(/\n/g, "\n    ");
}

export function coverSecrets(value: Value, showSecrets: boolean): Value {
  if (Array.isArray(value)) return value.map((item) => coverSecrets(item, showSecrets));
  if (isSecret(value)) return showSecrets ? coverSecrets(value.value, true) : "[secret]";
  if (value === UNKNOWN) return "[unknown]";
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, coverSecrets(item, showSecrets)]),
  );
}
