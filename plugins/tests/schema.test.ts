import { readFileSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { containerProvider } from "../docker/container";
import { createRequest, endpoint } from "../docker/container-request";
import { isObject, type Properties, type Value } from "../properties";
import type { Provider } from "../provider";

/** Inputs by type, as the vendor's schemas have them: a word, a list of one, or the fields of a block. */
type Kind = string | readonly Kind[] | { readonly [field: string]: Kind };
const INPUTS = JSON.parse(readFileSync(join(__dirname, "fixtures/inputs.json"), "utf8")) as Record<
  string,
  Record<string, Kind>
>;

/** How a container is handled is nothing of the request that makes it: containers.docker.test.ts. */
const HANDLED_ELSEWHERE = [
  ...["attach", "containerReadRefreshTimeoutMilliseconds", "destroyGraceSeconds", "logs", "mustRun"],
  ...["removeVolumes", "start", "uploads", "wait", "waitTimeout"],
  // Which network it joins is another request.
  "networksAdvanced.name",
];

/** Volumes of another container, and binds, are other ways than a volume's name. */
const EXCLUDED = ["volumes.fromContainer", "volumes.hostPath"];

/** Some value of that kind; of the ways that exclude each other, one. */
function sample(kind: Kind, name: string): Value {
  if (Array.isArray(kind)) return (kind as readonly Kind[]).map((each) => sample(each, name));
  if (typeof kind === "object")
    return Object.fromEntries(
      Object.entries(kind)
        .filter(([field]) => !EXCLUDED.includes(`${name}.${field}`))
        .map(([field, each]) => [field, sample(each, field)]),
    );
  const text = /interval|period|timeout/i.test(name) ? "7s" : `${name}=7`;
  return { boolean: true, integer: 7, number: 7, map: { a: "b" } }[kind] ?? text;
}

/** The value without one field, in each block of a list. */
const without = (value: Value, field: string): Value =>
  Array.isArray(value)
    ? value.map((item) => without(item, field))
    : Object.fromEntries(Object.entries(value as Properties).filter(([key]) => key !== field));

const docker = new Docker();
const refused = async (provider: Provider, type: string, inputs: Properties): Promise<boolean> =>
  (await provider.check({ urn: "", type, name: "x" }, inputs)).failures.length > 0;
const request = (inputs: Properties): string =>
  JSON.stringify([
    createRequest(inputs),
    (inputs.networksAdvanced as Properties[] | undefined)?.map(endpoint),
  ]);

describe("no input that the vendor's schema has is dropped: it is done, or refused", () => {
  const type = "docker:index/container:Container";
  const inputs = Object.entries(INPUTS[type] ?? {}).filter(([name]) => !HANDLED_ELSEWHERE.includes(name));

  test.each(inputs)("a container's %s", async (name, kind) => {
    const wish = { [name]: sample(kind, name) };
    if (await refused(containerProvider(docker), type, wish)) return;
    expect(request(wish)).not.toEqual(request({}));
  });

  const nested = inputs.flatMap(([name, kind]) => {
    const value = sample(kind, name);
    const block = Array.isArray(value) ? value[0] : value;
    return isObject(block) && kind !== "map"
      ? Object.keys(block).map((field) => [name, field, kind] as const)
      : [];
  });
  test.each(nested.filter(([name, field]) => !HANDLED_ELSEWHERE.includes(`${name}.${field}`)))(
    "a container's %s.%s",
    async (name, field, kind) => {
      const whole = { [name]: sample(kind, name) };
      if (await refused(containerProvider(docker), type, whole)) return;
      expect(request({ [name]: without(sample(kind, name), field) })).not.toEqual(request(whole));
    },
  );
});
