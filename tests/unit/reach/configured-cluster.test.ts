import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { kubernetesClient } from "../../../components/reach/kubernetes/client";
import { keepConfiguredCluster } from "../../../components/reach/kubernetes/configured-cluster";
import { KubernetesApi } from "../../support/kubernetes-api";

/** Whose server a client of ours would ask. */
const asking = {
  create: () => {
    const { config } = kubernetesClient();
    const { server } = (config as unknown as { getCurrentCluster(): { server: string } }).getCurrentCluster();
    return Promise.resolve({ id: server, outs: {} });
  },
} satisfies pulumi.dynamic.ResourceProvider;

const kubeconfig = (...contexts: readonly string[]): string =>
  JSON.stringify({
    "current-context": contexts[0],
    contexts: contexts.map((name) => ({ name, context: { cluster: name, user: "u" } })),
    clusters: contexts.map((name) => ({ name, cluster: { server: `https://${name}.example.com` } })),
    users: [{ name: "u", user: {} }],
  });

describe("which cluster a provider of ours asks is what Pulumi's own provider is told (C4)", () => {
  const folder = mkdtempSync(join(tmpdir(), "meant-"));
  const ambient = new KubernetesApi();
  const provider = { ...asking, configure: keepConfiguredCluster };
  const told = async (settings: Readonly<Record<string, string>>): Promise<string> => {
    const get = (key: string): string | undefined => settings[key];
    await provider.configure({ config: { get, require: (key) => get(key) ?? "" } });
    return (await provider.create()).id;
  };

  beforeAll(async () => {
    await ambient.start();
  });
  afterAll(async () => {
    await told({});
    ambient.stop();
    rmSync(folder, { recursive: true });
  });

  test("nothing: the current context of KUBECONFIG", async () => {
    expect(await told({})).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });

  test("kubernetes:kubeconfig as a path, and kubernetes:context of it", async () => {
    const file = join(folder, "config");
    writeFileSync(file, kubeconfig("staging", "production"));
    expect(await told({ "kubernetes:kubeconfig": file })).toBe("https://staging.example.com");
    expect(await told({ "kubernetes:kubeconfig": file, "kubernetes:context": "production" })).toBe(
      "https://production.example.com",
    );
  });

  test("kubernetes:kubeconfig as a text", async () => {
    expect(await told({ "kubernetes:kubeconfig": kubeconfig("elsewhere") })).toBe(
      "https://elsewhere.example.com",
    );
  });

  test("a context that is not there is refused, with those that are", async () => {
    await expect(told({ "kubernetes:context": "production" })).rejects.toThrow(
      'kubernetes:context is "production", but the kubeconfig has c: run pulumi config set kubernetes:context <one of these>',
    );
  });
});
