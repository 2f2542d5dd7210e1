import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { PROJECT } from "../../../commands/programs";
import { IMAGES } from "../../../config-files/images";
import program from "../../../stacks/index";
import { record, type RecordedResource } from "../../support/record";
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

/** What the program registers under a settings file. */
function registered(file: string, stack: string): Promise<readonly RecordedResource[]> {
  const { config } = parse(file) as { config: Record<string, unknown> };
  return record(
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
    { stack, outputs: certificateOutputs },
  );
}

test("prod is what its settings file of this repository says (C4)", async () => {
  const resources = await registered(readFileSync(join(PROJECT, "Pulumi.prod.yaml"), "utf8"), "prod");
  const inputs = (kind: string, name: string): unknown =>
    resources.find((resource) => resource.type.endsWith(`:${kind}`) && resource.name === name)?.inputs;
  expect(inputs("Service", "pg-haproxy-exposed")).toMatchObject({ spec: { type: "LoadBalancer" } });
  for (const [name, replicas] of Object.entries({ "pg-etcd": 3, "pg-coordinator": 3, "pg-worker-2": 3 }))
    expect(inputs("StatefulSet", name)).toMatchObject({
      metadata: { namespace: "postgres" },
      spec: { replicas, volumeClaimTemplates: [{ spec: { storageClassName: "fast-ssd" } }] },
    });
});

test("a third environment is a settings file and nothing else (C4)", async () => {
  const resources = await registered(STAGING, "staging");
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
