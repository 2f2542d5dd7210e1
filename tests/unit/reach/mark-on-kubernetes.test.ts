import { markProvider, ownerProvider } from "../../../components/resources/ownership/provider";
import { KubernetesApi } from "../../support/kubernetes-api";
import { served } from "../../support/served";

interface Stored {
  readonly metadata: { resourceVersion: string; annotations?: Record<string, string> };
}

describe("the owner's mark on Kubernetes", () => {
  const api = new KubernetesApi();
  const args = {
    place: { via: "kubernetes", namespace: "ns", cluster: "pg" },
    stack: "prod",
    project: "shop",
  } as const;
  const none = {} as never;
  let object: Stored | undefined;
  let version = 0;
  let claims: string[] = [];
  let namespaceIsGone = false;
  /** Runs once, between a read and what follows it. */
  let meanwhile: (() => void) | undefined;
  const asked: string[] = [];

  const store = (annotation: string): void => {
    object = {
      metadata: { resourceVersion: String(++version), annotations: { "postgres-cluster/owner": annotation } },
    };
  };
  const markOf = (owner: string) =>
    JSON.stringify({ owner, stack: "second", project: "shop", since: "then" });

  beforeAll(() => {
    api.server.on("request", (request, response) => {
      const answer = (status: number, body: object): void =>
        void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      let sent = "";
      request.on("data", (chunk: Buffer) => (sent += chunk.toString()));
      request.on("end", () => {
        const url = decodeURIComponent(request.url ?? "");
        asked.push(`${request.method ?? ""} ${url}`);
        if (url.includes("/persistentvolumeclaims")) {
          answer(200, { items: claims.map((name) => ({ metadata: { name } })) });
        } else if (request.method === "GET") {
          if (object === undefined) answer(404, { kind: "Status", code: 404 });
          else answer(200, object);
          meanwhile?.();
          meanwhile = undefined;
        } else if (request.method === "DELETE") {
          object = undefined;
          answer(200, {});
        } else if (namespaceIsGone) {
          answer(404, { kind: "Status", code: 404, message: 'namespaces "ns" not found' });
        } else {
          const body = JSON.parse(sent) as Stored;
          const taken =
            request.method === "POST"
              ? object !== undefined
              : object?.metadata.resourceVersion !== body.metadata.resourceVersion;
          if (taken) answer(409, { kind: "Status", code: 409 });
          else {
            store(body.metadata.annotations?.["postgres-cluster/owner"] ?? "");
            answer(200, object!);
          }
        }
      });
    });
    return api.start();
  });
  beforeEach(() => {
    object = undefined;
    claims = [];
    asked.length = 0;
  });
  afterAll(() => {
    api.stop();
  });

  const claim = async () => {
    const owner = served(ownerProvider).provider;
    const mark = served(markProvider).provider;
    const { inputs, failures } = await owner.check(none, args as never);
    const wanted = (await mark.check(none, { ...args, owner: inputs!.owner } as never)).inputs!;
    return { owner, mark, inputs: inputs!, failures, wanted };
  };

  test("is an annotation of an object of its own; nothing is written before the state has proved itself", async () => {
    const { mark, inputs, wanted } = await claim();
    expect(asked.filter((line) => !line.startsWith("GET"))).toEqual([]);
    expect(asked).toContain(
      "GET /api/v1/namespaces/ns/persistentvolumeclaims?labelSelector=app.kubernetes.io/instance=pg",
    );
    await mark.create(wanted);
    expect(asked.at(-1)).toBe("POST /api/v1/namespaces/ns/configmaps");
    expect(JSON.parse(object!.metadata.annotations!["postgres-cluster/owner"]!)).toEqual({
      ...{ owner: inputs.owner, stack: "prod", project: "shop" },
      since: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test("the owner's stack may be renamed: the mark says so, and since when stays", async () => {
    const { owner, mark, inputs, wanted } = await claim();
    await mark.create(wanted);
    const before = JSON.parse(object!.metadata.annotations!["postgres-cluster/owner"]!) as object;
    const renamed = { ...args, stack: "renamed" };
    expect((await owner.check(inputs, renamed as never)).failures).toEqual([]);
    const news = (await mark.check(wanted, { ...renamed, owner: inputs.owner } as never)).inputs!;
    expect(await mark.diff("", wanted, news)).toMatchObject({ changes: true });
    await mark.update("", wanted, news);
    expect(JSON.parse(object!.metadata.annotations!["postgres-cluster/owner"]!)).toEqual({
      ...before,
      stack: "renamed",
    });
  });

  test("refuses another state, and one that was slower", async () => {
    claims = ["data-pg-patroni-0"];
    store(markOf("theirs"));
    expect((await claim()).failures).toEqual([
      { property: "cluster", reason: expect.stringContaining("the ConfigMap pg-owner of the namespace ns") },
    ]);
    object = undefined;
    claims = [];
    const { mark, wanted } = await claim();
    meanwhile = () => store(markOf("theirs"));
    await expect(mark.create(wanted)).rejects.toThrow("belongs to the stack second");
    expect(object).toMatchObject({
      metadata: { annotations: { "postgres-cluster/owner": markOf("theirs") } },
    });
  });

  test("in a namespace that somebody deleted: says so, with the way out", async () => {
    const { mark, wanted } = await claim();
    namespaceIsGone = true;
    const written = mark.create(wanted);
    await expect(written).rejects.toThrow(/^the namespace ns does not exist, .* `pulumi up --refresh`/);
    namespaceIsGone = false;
  });

  test("of a cluster that an issuer signs for is written by hand, once: nothing else proves who made it", async () => {
    claims = ["data-pg-patroni-0"];
    const { owner, mark, inputs } = await claim();
    const wanted = { ...args, owner: inputs.owner, unproven: inputs.unproven };
    const { failures } = await mark.check(none, wanted as never);
    const reason = failures![0]!.reason;
    expect(reason).toContain("data of a cluster pg exist (data-pg-patroni-0)");
    const said = /kubectl -n ns annotate configmap pg-owner postgres-cluster\/owner='(.*)'$/m.exec(
      reason,
    )?.[1];
    store(said ?? "");
    // The refused `up` has kept the id.
    const again = await owner.check(inputs, args as never);
    expect(again.inputs).toMatchObject({ owner: inputs.owner, unproven: "" });
    expect((await mark.check(none, { ...wanted, unproven: "" } as never)).failures).toEqual([]);
  });

  test("goes with the last claim, and stays beside claims", async () => {
    const { mark, wanted } = await claim();
    await mark.create(wanted);
    claims = ["data-pg-patroni-0"];
    await mark.delete("", wanted);
    expect(object).toBeDefined();
    claims = [];
    await mark.delete("", wanted);
    expect(object).toBeUndefined();
  });

  test("what cannot be seen is refused", async () => {
    const owner = served(ownerProvider).provider;
    object = undefined;
    const broken = { ...args, place: { ...args.place, namespace: "a/../b" } };
    api.server.once("request", (request) => request.socket.destroy());
    await expect(owner.check(none, broken as never)).rejects.toThrow(
      "cannot determine who owns the cluster pg; nothing was changed: ",
    );
  });
});
