import type { RecordedResource } from "../../support/record";
import { recordStack } from "../../support/specs";

describe("the prod stack with networks from which up goes straight to members", () => {
  const RUNNERS = "10.20.0.0/16";
  let resources: readonly RecordedResource[];
  const ofType = (type: string): readonly RecordedResource[] =>
    resources.filter((resource) => resource.type.endsWith(`:${type}`));

  beforeAll(async () => {
    ({ resources } = await recordStack("prod", true, "prod", { kubernetes: { directFrom: [RUNNERS] } }));
  });

  test("every group lets the superuser in from there, and with the network nobody else", () => {
    const configurations = ofType("PatroniConfiguration");
    expect(configurations.length).toBeGreaterThan(1);
    for (const { name, inputs } of configurations) {
      const { postgresql } = JSON.parse(inputs["configuration"] as string) as {
        postgresql: { pg_hba: readonly string[] };
      };
      expect([name, postgresql.pg_hba.filter((line) => line.includes(RUNNERS))]).toEqual([
        name,
        [`hostssl all postgres ${RUNNERS} scram-sha-256`],
      ]);
    }
  });

  test("the first SQL waits until these rules are in force", () => {
    const [roles] = ofType("Roles");
    expect(roles?.dependsOn).toContain("coordinator-configuration");
  });
});
