import {
  bootstrapYml,
  dynamicConfiguration,
  patroniSecretsYml,
  patroniYml,
} from "../../../../config-files/patroni/patroni";
import { resolveParameters } from "../../../../config-files/postgres/parameters";
import { POOLS } from "../../../../components/pools-guest";
import { hooksJson } from "../../../../config-files/patroni/guests";
import { expectGolden } from "../../../support/golden";

const dynamic = dynamicConfiguration({
  synchronous: "quorum",
  synchronousReplicas: 1,
  timing: { ttlSeconds: 20, loopWaitSeconds: 1, retryTimeoutSeconds: 3 },
  parameters: resolveParameters({}, { memoryMiB: 1024 }).parameters,
});
const cluster = patroniYml({
  scope: "pg-dev",
  etcd: { endpoints: [0, 1, 2].map((i) => `pg-dev-etcd-${i}:2379`), username: "patroni-pg-dev" },
  guests: [POOLS],
});

describe("Patroni's configuration", () => {
  test("cluster.yml, the same for every member", () =>
    expectGolden("config-files/patroni/cluster.yml", cluster));

  test("hooks.json, with what the pools want before a stop", () =>
    expectGolden("config-files/patroni/hooks.json", hooksJson([POOLS])));

  test("bootstrap.yml, with the dynamic configuration", () =>
    expectGolden("config-files/patroni/bootstrap.yml", bootstrapYml(dynamic)));

  test("patroni.yml, the secrets", () =>
    expectGolden(
      "config-files/patroni/patroni.yml",
      patroniSecretsYml({ restPassword: "12:30:00", etcdPassword: "p: #w" }),
    ));

  test("only the secrets hold passwords", () => {
    expect(cluster + bootstrapYml(dynamic)).not.toMatch(/^\s*password:/m);
  });

  test("strict synchronous mode and more copies", () => {
    const strict = dynamicConfiguration({
      synchronous: "strict",
      synchronousReplicas: 2,
      timing: { ttlSeconds: 30, loopWaitSeconds: 10, retryTimeoutSeconds: 10 },
      parameters: {},
    });
    expect(strict).toMatchObject({
      synchronous_mode: "quorum",
      synchronous_mode_strict: true,
      synchronous_node_count: 2,
      ttl: 30,
      loop_wait: 10,
      retry_timeout: 10,
    });
  });

  test("the dynamic configuration is plain JSON, so that it can be compared with what the DCS holds", () => {
    expect(JSON.parse(JSON.stringify(dynamic))).toEqual(dynamic);
  });
});
