import { volumeClaimsProvider } from "../../../components/platforms/kubernetes/volume-claims";
import { storageBytes } from "../../../components/platforms/kubernetes/volume-claims-plan";
import { KubernetesApi } from "../../support/kubernetes-api";
import { served } from "../../support/served";

const set = {
  ...{ namespace: "ns", statefulSet: "pg", replicas: 2, template: "data" },
  ...{ size: "20Gi", storageClass: "fast", deadlineSeconds: 120 },
};

test("sizes of volumes are those of Kubernetes, binary and decimal", () => {
  expect(["1Ki", "2Mi", "1.5Gi", "1Ti", "3k", "1G", "10737418240"].map(storageBytes)).toEqual([
    ...[1024, 2097152, 1610612736, 1099511627776, 3000, 1e9, 10737418240],
  ]);
  expect(() => storageBytes("much")).toThrow("much is not a storage quantity");
});

describe("the volumes of a StatefulSet (D5)", () => {
  const api = new KubernetesApi();
  const claims = new Map<string, { requested: string; capacity?: string; pending?: boolean }>();
  const patched: string[] = [];
  let refused: string | undefined;
  /** What a patch does to the capacity. */
  let grown: (size: string) => { capacity?: string; pending?: boolean };

  beforeAll(() => {
    api.server.on("request", (request, response) => {
      const answer = (status: number, body: object): void =>
        void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      const [, name = ""] = /\/persistentvolumeclaims\/([^/?]+)/.exec(request.url ?? "") ?? [];
      let sent = "";
      request.on("data", (chunk: Buffer) => (sent += chunk.toString()));
      request.on("end", () => {
        const claim = claims.get(name);
        if (claim === undefined) {
          // Its pod has been made by the next look.
          claims.set(name, { requested: "10Gi" });
          answer(404, { kind: "Status", code: 404 });
        } else if (request.method === "PATCH") {
          patched.push(`${request.headers["content-type"]} ${name} ${sent}`);
          if (refused !== undefined) {
            answer(403, { kind: "Status", code: 403, message: refused });
            return;
          }
          const { value } = (JSON.parse(sent) as { value: string }[])[0]!;
          claims.set(name, { ...claim, requested: value, ...grown(value) });
          answer(200, {});
        } else
          answer(200, {
            metadata: { name },
            spec: { resources: { requests: { storage: claim.requested } } },
            status: {
              ...(claim.capacity !== undefined && { capacity: { storage: claim.capacity } }),
              ...(claim.pending && { conditions: [{ type: "FileSystemResizePending", status: "True" }] }),
            },
          });
      });
    });
    return api.start();
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    patched.length = 0;
    refused = undefined;
    grown = (size) => ({ capacity: size });
    for (const name of ["data-pg-0", "data-pg-1"]) claims.set(name, { requested: "10Gi", capacity: "10Gi" });
  });
  const update = async (over: object = {}): Promise<string> => {
    const { provider } = served(volumeClaimsProvider);
    return provider.update("ns/pg", set, { ...set, ...over }).then(
      () => "done",
      (error: unknown) => (error as Error).message,
    );
  };
  const patch = (name: string): string =>
    `application/json-patch+json ${name} [{"op":"replace","path":"/spec/resources/requests/storage","value":"20Gi"}]`;

  test("grow in place, those that are too small, and are waited for", async () => {
    claims.set("data-pg-1", { requested: "30Gi", capacity: "30Gi" });
    expect(await update()).toBe("done");
    expect(patched).toEqual([patch("data-pg-0")]);
  });

  test("of a member that is new grow too, although the template is as it was, and need no volume for that", async () => {
    claims.delete("data-pg-1");
    grown = (size) => (size === "20Gi" && patched.length === 1 ? { capacity: size } : {});
    expect(await update()).toBe("done");
    expect(patched).toEqual([patch("data-pg-0"), patch("data-pg-1")]);
  });

  test("whose file system grows when it is mounted anew are grown", async () => {
    grown = () => ({ pending: true });
    expect(await update()).toBe("done");
  });

  test("that do not grow in time are named", async () => {
    grown = () => ({});
    expect(await update({ deadlineSeconds: 1 })).toMatch(
      /the volumes of pg have 20Gi: timed out after 1 s.*data-pg-0 has 10Gi of 20Gi; data-pg-1 has 10Gi of 20Gi/,
    );
  });

  test("of a class that cannot grow are left alone, with the reason and the way out", async () => {
    refused = "only dynamically provisioned pvc can be resized";
    expect(await update()).toBe(
      "data-pg-0 cannot be expanded from 10Gi to 20Gi: only dynamically provisioned pvc can be resized. It was not changed: restore the old volumeSize, or enable volume expansion in the storage class (allowVolumeExpansion).",
    );
    expect(patched).toEqual([patch("data-pg-0")]);
  });

  test("are a change after a refresh when one came back smaller", async () => {
    claims.set("data-pg-0", { requested: "20Gi", capacity: "20Gi" });
    const { provider } = served(volumeClaimsProvider);
    expect(await provider.read("ns/pg", set)).toEqual({
      id: "ns/pg",
      props: { ...set, size: "10Gi" },
    });
  });

  test("never shrink and never change their class: a preview refuses it", async () => {
    const { provider } = served(volumeClaimsProvider);
    const failures = async (olds: object, news: object) =>
      (await provider.check(olds as never, { ...set, ...news })).failures?.map(({ reason }) => reason);
    expect(await failures({}, {})).toEqual([]);
    expect(await failures(set, { size: "1Ti" })).toEqual([]);
    expect(await failures(set, { size: "10Gi" })).toEqual([
      "the volumes of pg have 20Gi and cannot shrink to 10Gi: set volumeSize to at least 20Gi",
    ]);
    expect(await failures(set, { storageClass: undefined })).toEqual([
      "the volumes of pg have the storage class fast, which cannot change; to use (the default), create a new cluster and copy the data",
    ]);
  });
});
