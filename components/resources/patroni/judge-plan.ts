import type { Json, JsonObject } from "./plan";
import type { ClusterStatus } from "./status";

/** What PostgreSQL itself is asked about a configuration, and what is made of its answers. Pure. */

/** What a group's server is to be, besides the parameters of the dynamic configuration. */
export interface JudgedGroup {
  /** Extensions that the application's database has. */
  readonly extensions: readonly string[];
  readonly database: string;
  /** Libraries that Patroni puts before those that are configured: `citus` in a distributed database. */
  readonly librariesBefore: readonly string[];
  /** What the members' image is called: another one may hold other libraries and extensions. */
  readonly image: string;
  /** Where the settings stand, for messages: `patroni`, `workers`. */
  readonly section: string;
}

/** `postgres-judge` in the image takes it. */
export interface Question {
  readonly parameters: Readonly<Record<string, string>>;
  readonly extensions: readonly string[];
  readonly database: string;
  readonly librariesBefore: readonly string[];
  /** The member's server already has huge pages, and beside them there may be none left to try it with. */
  readonly holdsHugePages: boolean;
}

/** Something that the server would not take. */
export interface Refusal {
  /** A parameter, `extension <name>`, or empty where the server does not say. */
  readonly about: string;
  /** In the server's own words. */
  readonly said: string;
  /** The server waits for a restart, and may take it then. */
  readonly waits?: boolean;
  /** One that the database has, and that does not go with it. */
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

/** Parameters of the running servers that nobody declares. */
export function undeclared(live: JsonObject, desired: JsonObject): readonly string[] {
  const wanted = parametersOf(desired);
  return Object.keys(parametersOf(live)).filter((name) => wanted[name] === undefined);
}

/** @param live what the running servers have; undefined when there are none */
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

/** Whether a refusal may be one of the image alone, which another image would not make. */
export const dependsOnImage = ({ about, extension }: Refusal): boolean =>
  extension === undefined && (LIBRARY_LISTS.includes(about) || about.startsWith("extension "));

const REMEDY_FOR_IMAGE =
  "Correct the name, or add its Debian package to the image (images.postgresPackages); libraries that must be preloaded also belong in parameters.shared_preload_libraries";

/** What a person is told: the setting as it is written, the server's own line, the way out. */
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
    return `  ${setting}: PostgreSQL refuses it: ${said}\n    ${remedy}.`;
  });
  return `PostgreSQL, in the members' own image, rejects this configuration; nothing was changed:\n${lines.join("\n")}`;
}

const listed = (parameters: Readonly<Record<string, string>>, name: string): string[] =>
  (parameters[name] ?? "")
    .split(",")
    .map((library) => library.trim())
    .filter((library) => library !== "");

/** A list that nobody declares, and nobody has declared, is its owner's. */
const isOurs = (name: string, desired: JsonObject, before: JsonObject): boolean =>
  parametersOf(desired)[name] !== undefined || parametersOf(before)[name] !== undefined;

/** Libraries that servers load now and are not to load any more: they must be out of the configuration before an image is without them. */
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
 * What may be written before the members have the image that belongs to it: all that is declared, without the libraries that no server loads
 * yet. They come when every member has the image that holds them.
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

/** Only what makes the leaving libraries go. */
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

/** What Patroni makes of a PATCH (`patch_config` in its utils.py): null removes a key, objects are merged. */
export function patched(live: JsonObject, patch: JsonObject): JsonObject {
  const changed = Object.entries(patch).map(([key, value]): readonly [string, Json] => {
    const is = live[key];
    return [key, isObject(value) && isObject(is) ? patched(is, value) : value];
  });
  const entries = Object.entries({ ...live, ...Object.fromEntries(changed) });
  return Object.fromEntries(entries.filter(([key, value]) => value !== null || !(key in patch)));
}

/** Whether a patch changes what PostgreSQL reads. */
export const concernsPostgres = (patch: JsonObject): boolean => {
  const postgresql = patch["postgresql"];
  return isObject(postgresql) && postgresql["parameters"] !== undefined;
};

/**
 * What a server said last of why it does not start: its last FATAL or PANIC, with the lines about parameters before it. Empty when it says
 * nothing of the kind.
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
/** What ends a session is FATAL, too, and says nothing of the server. */
const ofClient = (text: string): boolean =>
  /^(the database system is|terminating |no pg_hba|password authentication|database "|role "|remaining connection|sorry, too many|connection requires|unsupported frontend|canceling|could not receive data from WAL|streaming replication)/.test(
    text,
  );

/**
 * Why somebody may need the new configuration to become well: nobody leads, or a member's PostgreSQL does not run. A member that does not
 * answer at all is no reason, since it reads the configuration when it comes back.
 */
export function ailing(status: ClusterStatus): string | undefined {
  if (status.leader === undefined) return "nobody leads";
  const down = status.members.filter(({ problem, state }) => problem === undefined && state !== "running");
  return down.length === 0
    ? undefined
    : down.map(({ name, state }) => `${name} is ${state ?? "without PostgreSQL"}`).join("; ");
}
