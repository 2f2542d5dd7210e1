import type { Json, JsonObject } from "./plan";
import type { ClusterStatus } from "./status";

/** What PostgreSQL is asked about a configuration, and how its answers are interpreted. Pure. */

/** What a group's servers need besides the parameters of the dynamic configuration. */
export interface JudgedGroup {
  /** Extensions of the application's database. */
  readonly extensions: readonly string[];
  readonly database: string;
  /** Libraries that Patroni puts in front of the configured ones: `citus` in a distributed database. */
  readonly librariesBefore: readonly string[];
  /** Name of the members' image. A different image may have different libraries and extensions. */
  readonly image: string;
  /** The section of the stack's settings, for messages: `patroni`, `workers`. */
  readonly section: string;
}

/** The argument of `postgres-judge` in the image. */
export interface Question {
  readonly parameters: Readonly<Record<string, string>>;
  readonly extensions: readonly string[];
  readonly database: string;
  readonly librariesBefore: readonly string[];
  /** The member's server already uses huge pages, so there may be none left for a second server that validates the setting. */
  readonly holdsHugePages: boolean;
}

/** Something that the server rejects. */
export interface Refusal {
  /** A parameter or `extension <name>`; empty if the server does not name one. */
  readonly about: string;
  /** The server's message. */
  readonly said: string;
  /** The parameter only takes effect after a restart, which may succeed. */
  readonly waits?: boolean;
  /** An installed extension that needs the library which is being removed. */
  readonly extension?: string;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** PostgreSQL's parameters in a dynamic configuration, each as text. */
export function parametersOf(configuration: JsonObject | undefined): Record<string, string> {
  const postgresql = configuration?.["postgresql"];
  const parameters = isObject(postgresql) ? postgresql["parameters"] : undefined;
  if (!isObject(parameters)) return {};
  return Object.fromEntries(
    Object.entries(parameters)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [
        name,
        typeof value === "boolean"
          ? value
            ? "on"
            : "off"
          : typeof value === "string"
            ? value
            : JSON.stringify(value),
      ]),
  );
}

/** Parameters of the live configuration that are not declared. */
export function undeclared(live: JsonObject, desired: JsonObject): readonly string[] {
  const wanted = parametersOf(desired);
  return Object.keys(parametersOf(live)).filter((name) => wanted[name] === undefined);
}

/** @param live the configuration of the running servers; undefined if there are none */
export function questionOf(
  desired: JsonObject,
  live: JsonObject | undefined,
  group: Omit<JudgedGroup, "image">,
): Question {
  const { extensions, database, librariesBefore } = group;
  return {
    parameters: parametersOf(desired),
    ...{ extensions, database, librariesBefore },
    holdsHugePages: parametersOf(live)["huge_pages"] === "on",
  };
}

const LIBRARY_LISTS = ["shared_preload_libraries", "session_preload_libraries", "local_preload_libraries"];

/** Whether the refusal may be due to the image, so that a different image might accept the configuration. */
export const dependsOnImage = ({ about, extension }: Refusal): boolean =>
  extension === undefined && (LIBRARY_LISTS.includes(about) || about.startsWith("extension "));

const REMEDY_FOR_IMAGE =
  "Correct the name, or add its Debian package to the image (images.postgresPackages); libraries that must be preloaded also belong in parameters.shared_preload_libraries";

/** The error message: each setting as it is declared, the server's message, and the remedy. */
export function describeRefusals(refusals: readonly Refusal[], question: Question, section: string): string {
  const lines = refusals.map((refusal) => {
    const { about, said } = refusal;
    const extension = /^extension (.*)$/.exec(about)?.[1];
    const setting =
      extension !== undefined
        ? `${section}.extensions = ${extension}`
        : about === ""
          ? `${section}.parameters`
          : `${section}.parameters.${about} = ${question.parameters[about] ?? ""}`;
    const remedy =
      refusal.extension !== undefined
        ? `DROP EXTENSION ${refusal.extension} first, or leave its library in the list`
        : dependsOnImage(refusal)
          ? REMEDY_FOR_IMAGE
          : "Correct the value or remove it";
    return `  ${setting}: PostgreSQL rejects it: ${said}\n    ${remedy}.`;
  });
  return `PostgreSQL, in the members' own image, rejects this configuration; nothing was changed:\n${lines.join("\n")}`;
}

const listed = (parameters: Readonly<Record<string, string>>, name: string): string[] =>
  (parameters[name] ?? "")
    .split(",")
    .map((library) => library.trim())
    .filter((library) => library !== "");

/** A list that is not and was not declared belongs to whoever set it. */
const isOurs = (name: string, desired: JsonObject, before: JsonObject): boolean =>
  parametersOf(desired)[name] !== undefined || parametersOf(before)[name] !== undefined;

/** Loaded libraries that are no longer declared. They must be removed from the configuration before an image without them is deployed. */
export function leavingLibraries(
  live: JsonObject,
  desired: JsonObject,
  before: JsonObject,
): readonly string[] {
  const [is, wanted] = [parametersOf(live), parametersOf(desired)];
  return LIBRARY_LISTS.filter((name) => isOurs(name, desired, before)).flatMap((name) =>
    listed(is, name).filter((library) => !listed(wanted, name).includes(library)),
  );
}

/**
 * What may be written before the members have the new image: the declared configuration without libraries that no server loads yet. Those
 * are added when every member has the image that contains them.
 */
export function withoutNewLibraries(live: JsonObject, desired: JsonObject): JsonObject {
  const [is, wanted] = [parametersOf(live), parametersOf(desired)];
  const lists = Object.fromEntries(
    LIBRARY_LISTS.filter((name) => wanted[name] !== undefined).map((name) => [
      name,
      listed(wanted, name)
        .filter((library) => listed(is, name).includes(library))
        .join(","),
    ]),
  );
  return withParameters(desired, lists);
}

/** Only the library lists, which removes libraries that are no longer declared and changes nothing else. */
export function onlyLibraryLists(reduced: JsonObject, before: JsonObject): JsonObject {
  const wanted = parametersOf(reduced);
  const lists = LIBRARY_LISTS.filter((name) => isOurs(name, reduced, before)).map(
    (name): readonly [string, Json] => [name, wanted[name] ?? null],
  );
  return { postgresql: { parameters: Object.fromEntries(lists) } };
}

function withParameters(configuration: JsonObject, over: Readonly<Record<string, Json>>): JsonObject {
  const postgresql = configuration["postgresql"];
  const section = isObject(postgresql) ? postgresql : {};
  const parameters = section["parameters"];
  return {
    ...configuration,
    postgresql: { ...section, parameters: { ...(isObject(parameters) ? parameters : {}), ...over } },
  };
}

/** The result of a PATCH, as Patroni computes it (`patch_config` in its utils.py): null removes a key, objects are merged. */
export function patched(live: JsonObject, patch: JsonObject): JsonObject {
  const changed = Object.entries(patch).map(([key, value]): readonly [string, Json] => {
    const is = live[key];
    return [key, isObject(value) && isObject(is) ? patched(is, value) : value];
  });
  const entries = Object.entries({ ...live, ...Object.fromEntries(changed) });
  return Object.fromEntries(entries.filter(([key, value]) => value !== null || !(key in patch)));
}

/** Whether a patch changes PostgreSQL's parameters. */
export const concernsPostgres = (patch: JsonObject): boolean => {
  const postgresql = patch["postgresql"];
  return isObject(postgresql) && postgresql["parameters"] !== undefined;
};

/**
 * Why a server does not start, from its log: the last FATAL or PANIC, with preceding lines about parameters. Empty if there is none.
 */
export function serverComplaint(log: string): string {
  const said = log
    .split("\n")
    .map((line) => /(LOG|WARNING|FATAL|PANIC|HINT|DETAIL): {2}(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, severity = "", text = ""]) => ({ severity, text }));
  const last = said.findLastIndex(({ severity, text }) => isFatal(severity) && !ofClient(text));
  if (last < 0) return "";
  const from = said.findLastIndex(({ severity }, index) => index < last && isFatal(severity)) + 1;
  return said
    .slice(from, last + 1)
    .filter(({ severity, text }) => isFatal(severity) || /parameter|could not|configuration file/.test(text))
    .slice(-4)
    .map(({ severity, text }) => `${severity}: ${text}`)
    .join(" ");
}

const isFatal = (severity: string): boolean => severity === "FATAL" || severity === "PANIC";
/** Errors that end a session are FATAL too, but do not concern the server. */
const ofClient = (text: string): boolean =>
  /^(the database system is|terminating |no pg_hba|password authentication|database "|role "|remaining connection|sorry, too many|connection requires|unsupported frontend|canceling|could not receive data from WAL|streaming replication)/.test(
    text,
  );

/**
 * Why the cluster may need the new configuration to recover: there is no leader, or a member's PostgreSQL is not running. A member that does
 * not answer is no reason, because it reads the configuration when it starts.
 */
export function ailing(status: ClusterStatus): string | undefined {
  if (status.leader === undefined) return "the cluster has no leader";
  const down = status.members.filter(({ problem, state }) => problem === undefined && state !== "running");
  return down.length === 0
    ? undefined
    : down.map(({ name, state }) => `${name} is in state ${state ?? "unknown"}`).join("; ");
}
