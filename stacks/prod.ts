import { KubernetesPlatform } from "../components/platforms/kubernetes/platform";
import { IMAGES } from "../config-files/images";
import type { Problem } from "../components/settings/problems";
import type { Environment } from "./environment";
import { SETTINGS_SCHEMA, type StackSettings } from "./settings";

/** Full size, on the Kubernetes cluster that the stack or the kubeconfig selects. */
export const prod: Environment = {
  defaults: {
    citus: "required",
    etcd: { members: 3, memory: "1Gi", cpu: 1, volumeSize: "8Gi" },
    patroni: {
      members: 3,
      memory: "8Gi",
      cpu: 2,
      volumeSize: "100Gi",
    },
    workers: { groups: 2, members: 3 },
    proxy: { entries: 2, writePools: 3, readPools: 3, drainSeconds: 60, cpu: "250m" },
  },
  // Images come from a registry, so their content is the user's responsibility.
  citus: ({ citus }) =>
    Promise.resolve(
      citus === "off"
        ? { distributed: false, why: "the settings say so (citus: off)", problems: [] }
        : { distributed: true, why: "Citus of the registry's image", problems: [] },
    ),
  platform: async ({ cluster, namespace, images, kubernetes, adopt }) =>
    new KubernetesPlatform({
      ...kubernetes,
      cluster,
      adopt,
      namespace: SETTINGS_SCHEMA.shape.namespace.parse(namespace),
      images: imageReferences(images),
    }),
  problems: (settings) => Promise.resolve(imageProblems(settings.images)),
};

type ImageSettings = StackSettings["images"];

/** `registry/name:tag` of every image, or `registry/name@sha256:...` if a digest is set. */
const imageReferences = (images: ImageSettings): Record<string, string> =>
  Object.fromEntries(
    Object.keys(IMAGES).map((name) => {
      const tag = images?.tags?.[name] ?? "";
      return [name, `${images?.registry ?? ""}/${name}${tag.startsWith("sha256:") ? "@" : ":"}${tag}`];
    }),
  );

function imageProblems(images: ImageSettings): Problem[] {
  const problems: Problem[] = [];
  if (!images?.registry) {
    problems.push({
      setting: "images.registry",
      value: images?.registry,
      rule: "must name the registry from which the cluster pulls its images",
      remedy: "Set it to registry.example.com/postgres-cluster, for example",
    });
  }
  if (images?.postgresPackages) {
    problems.push({
      setting: "images.postgresPackages",
      value: images.postgresPackages,
      rule: "has no effect in prod, which uses images from a registry",
      remedy: "Build the image with the packages, push it, and set its tag in images.tags.patroni",
    });
  }
  for (const name of Object.keys(IMAGES)) {
    const tag = images?.tags?.[name];
    if (tag !== undefined && tag !== "latest") continue;
    problems.push({
      setting: `images.tags.${name}`,
      value: tag,
      rule: "must be a fixed tag or a digest: with `latest`, a restart could change a member's version",
      remedy: "Set it to the tag or sha256:... digest that was pushed",
    });
  }
  return problems;
}
