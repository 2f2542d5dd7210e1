import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { IMAGES } from "../../../config-files/images";
import program from "../../../stacks/index";
import { record } from "../../support/record";
import { certificateOutputs } from "../../support/specs";

/** As somebody would write Pulumi.staging.yaml: like prod, only less of it. */
const STAGING = `
config:
  postgres-cluster:environment: prod
  postgres-cluster:citus: "off"
  postgres-cluster:namespace: postgres-staging
  postgres-cluster:etcd: { memory: 512Mi, cpu: 250m, volumeSize: 2Gi }
  postgres-cluster:patroni:
    members: 2
    memory: 2Gi
    cpu: 1
    volumeSize: 20Gi
    parameters: { shared_buffers: 512MB, max_connections: 100 }
  postgres-cluster:proxy: { entries: 2, writePools: 1, readPools: 1, poolSize: 20 }
  postgres-cluster:kubernetes: { storageClass: standard }
  postgres-cluster:images:
    registry: registry.example.com/postgres-cluster
    tags: { ${Object.keys(IMAGES)
      .map((name) => `${name}: "1"`)
      .join(", ")} }
`;

interface Set {
  readonly metadata: { readonly namespace: string };
  readonly spec: { readonly replicas: number };
}

test("a third environment is a settings file and nothing else (C4)", async () => {
  const { config } = parse(STAGING) as { config: Record<string, unknown> };
  const resources = await record(
    () => {
      pulumi.runtime.setAllConfig(
        Object.fromEntries(
          Object.entries(config).map(([key, value]) => [
            key,
            typeof value === "string" ? value : JSON.stringify(value),
          ]),
        ),
      );
      return program();
    },
    { stack: "staging", outputs: certificateOutputs },
  );
  const sets = resources.filter(({ type }) => type.endsWith(":StatefulSet"));
  const described = sets.map(({ name, inputs }) => {
    const { metadata, spec } = inputs as unknown as Set;
    return [name, metadata.namespace, spec.replicas];
  });
  expect(described.sort()).toEqual([
    ["pg-staging-etcd", "postgres-staging", 3],
    ["pg-staging-haproxy", "postgres-staging", 2],
    ["pg-staging-patroni", "postgres-staging", 2],
    ["pg-staging-pool-read", "postgres-staging", 1],
    ["pg-staging-pool-write", "postgres-staging", 1],
  ]);
});
