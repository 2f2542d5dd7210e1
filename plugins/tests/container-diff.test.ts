import Docker from "dockerode";
import { containerProvider } from "../docker/container";

const { diff } = containerProvider(new Docker());
const CONTAINER = { urn: "urn", type: "docker:index/container:Container", name: "main", id: "1" };
const replacedFor = async (before: boolean, made: boolean, after: boolean): Promise<readonly string[]> => {
  const olds = { inputs: { image: "a", wait: before }, outputs: { image: "a", wait: made } };
  return (await diff(CONTAINER, olds, { image: "a", wait: after })).replaceKeys;
};

test("a container that was to be waited for and did not become healthy is replaced", async () => {
  expect(await replacedFor(true, false, true)).toEqual(["wait"]);
  expect(await replacedFor(true, true, true)).toEqual([]);
});

test("one that nobody was to wait for is not replaced because somebody is to wait now, or no longer", async () => {
  expect(await replacedFor(false, false, true)).toEqual([]);
  expect(await replacedFor(true, false, false)).toEqual([]);
});
