import { prodManifests } from "./prod-manifests";
import { kubectl, kubectlSays } from "./kubectl";
import { withKubernetes } from "./cluster";

const NAMESPACE = "pg-manifests";

(withKubernetes ? describe : describe.skip)("the whole prod stack, as the API server judges it", () => {
  beforeAll(async () => {
    await kubectl(["create", "namespace", NAMESPACE]);
    const levels = ["enforce", "warn"].map((level) => `pod-security.kubernetes.io/${level}=restricted`);
    await kubectl(["label", "namespace", NAMESPACE, ...levels]);
  });
  afterAll(() => kubectl(["delete", "namespace", NAMESPACE]));

  test.each([
    ["replicated", false],
    ["distributed", true],
  ])(
    "%s: it knows every field, and no pod asks for more than restricted ones may",
    async (_shape, distributed) => {
      const items = (await prodManifests(distributed))
        .filter(({ kind }) => kind !== "Namespace")
        .map((manifest) => ({ ...manifest, metadata: { ...manifest.metadata, namespace: NAMESPACE } }));
      expect(items.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(["StatefulSet", "Secret", "Service"]),
      );
      const { stdout, stderr } = await kubectlSays(
        ["create", "--dry-run=server", "--validate=strict", "--output=name", "--filename=-"],
        JSON.stringify({ apiVersion: "v1", kind: "List", items }),
      );
      expect(stdout.trim().split("\n")).toHaveLength(items.length);
      expect(stderr).toBe("");
    },
  );
});
