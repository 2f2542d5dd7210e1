import { lastLines } from "../../../components/reach/last-lines";
import { KubernetesApi } from "../../support/kubernetes-api";

describe("the end of a log", () => {
  const kubernetes = new KubernetesApi();
  const asked: string[] = [];
  beforeAll(() => {
    kubernetes.server.on("request", (request, response) => {
      asked.push(request.url ?? "");
      if (request.url?.includes("pg-0") === true)
        response.setHeader("content-type", "text/plain").end("one\ntwo\n");
      else response.writeHead(404).end();
    });
    return kubernetes.start();
  });
  afterAll(() => kubernetes.stop());
  const ofPod = (pod: string): Promise<string> => lastLines({ via: "kubernetes", namespace: "ns", pod }, 5);

  test("is that of a pod, indented", async () => {
    expect(await ofPod("pg-0")).toBe("    | one\n    | two");
    expect(asked).toEqual(["/api/v1/namespaces/ns/pods/pg-0/log?tailLines=5"]);
  });

  test("is empty where it cannot be read", async () => {
    expect(await ofPod("pg-1")).toBe("");
    expect(await lastLines({ via: "tcp" }, 5)).toBe("");
    expect(await lastLines({ via: "docker", container: "there-is-none-of-this-name" }, 5)).toBe("");
  });
});
