import { podsReadyProvider, rolloutProvider } from "../../../components/platforms/kubernetes/rollout";
import { KubernetesApi } from "../../support/kubernetes-api";
import { served } from "../../support/served";

const set = { namespace: "ns", statefulSet: "pg", replicas: 3, digest: "1", deadlineSeconds: 20 };
const rollout = { ...set, container: "patroni" };

describe("the members of a StatefulSet", () => {
  const api = new KubernetesApi();
  /** The pods' revision, and how many looks from now they are ready; a pod that is missing is made at the next look. */
  const pods = new Map<string, { revision: string; unready: number }>();
  const deleted: string[] = [];
  let down = 0;

  beforeAll(() => {
    api.server.on("request", (request, response) => {
      const answer = (status: number, body: object): void =>
        void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      const [, kind = "", name = ""] = /\/(pods|statefulsets)\/([^/?]+)/.exec(request.url ?? "") ?? [];
      const pod = pods.get(name);
      if (request.url?.includes("/log?")) response.setHeader("content-type", "text/plain").end("the end\n");
      else if (kind === "statefulsets")
        answer(200, {
          metadata: { name, generation: 2 },
          status: { observedGeneration: 2, updateRevision: "new", replicas: 3 },
        });
      else if (request.method === "DELETE") {
        deleted.push(name);
        down = Math.max(down, 1 + [...pods.values()].filter(({ unready }) => unready > 0).length);
        pods.delete(name);
        answer(200, {});
      } else if (pod === undefined) {
        pods.set(name, { revision: "new", unready: 1 });
        answer(404, { kind: "Status", code: 404 });
      } else {
        const ready = pod.unready === 0;
        pod.unready = Math.max(0, pod.unready - 1);
        answer(200, {
          metadata: { name, labels: { "controller-revision-hash": pod.revision } },
          status: {
            phase: "Running",
            conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
            containerStatuses: [
              { restartCount: 0, state: ready ? {} : { waiting: { reason: "ContainerCreating" } } },
            ],
          },
        });
      }
    });
    return api.start();
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    deleted.length = down = 0;
    for (const name of ["pg-0", "pg-1", "pg-2"]) pods.set(name, { revision: "old", unready: 0 });
  });

  test("are replaced one at a time by a change, each ready again before the next (D5)", async () => {
    const { provider } = served(rolloutProvider);
    expect(await provider.update("ns/pg", rollout, rollout)).toEqual({ outs: rollout });
    expect(deleted).toEqual(["pg-0", "pg-1", "pg-2"]);
    expect(down).toBe(1);
  });

  test("that do not become ready stop it, with what keeps them", async () => {
    pods.set("pg-1", { revision: "new", unready: 1e6 });
    const { provider } = served(rolloutProvider);
    const said = await provider.update("ns/pg", rollout, { ...rollout, deadlineSeconds: 1 }).then(
      () => "done",
      (error: unknown) =>
        JSON.stringify([(error as Error).message, (error as { reasons: string[] }).reasons]),
    );
    expect(said).toMatch(
      /the members of pg are ready: timed out after 1 s.*pg-1 is not ready \(Running, ContainerCreating\).*the end/,
    );
    expect(deleted).toEqual([]);
  });

  test("are waited for at first, and gone for a refresh when one is not ready", async () => {
    pods.delete("pg-2");
    const { provider } = served(podsReadyProvider);
    expect((await provider.create(set)).id).toBe("ns/pg");
    expect(await provider.read("ns/pg", set)).toMatchObject({ id: "ns/pg" });
    pods.set("pg-0", { revision: "new", unready: 1e6 });
    expect(await provider.read("ns/pg", set)).toEqual({});
  });

  test("start together: the first rollout returns at once, and another StatefulSet is another resource", async () => {
    const { provider } = served(rolloutProvider);
    expect(await provider.create(rollout)).toEqual({ id: "ns/pg", outs: rollout });
    expect(await provider.diff("ns/pg", rollout, { ...rollout, digest: "2" })).toEqual({
      changes: true,
      replaces: [],
    });
    expect(await provider.diff("ns/pg", rollout, { ...rollout, statefulSet: "other" })).toEqual({
      changes: true,
      replaces: ["statefulSet"],
    });
  });
});
