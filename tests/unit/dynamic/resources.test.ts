import * as pulumi from "@pulumi/pulumi";
import { Certificate, CertificateAuthority } from "../../../components/resources/certificates";
import { EtcdAuthentication } from "../../../components/resources/etcd";
import { PatroniConfiguration } from "../../../components/resources/patroni";
import { Database } from "../../../components/resources/sql/database";
import { ReplicationCheck } from "../../../components/resources/sql/replication-check";
import { Roles } from "../../../components/resources/sql/roles";
import type { RecordedResource } from "../../support/record";
import { record } from "../../support/record";

const reach = { via: "docker", container: "pg-0", port: 5432 } as const;
const members = [{ name: "pg-0", serverName: "pg-0", reach }];

/** Every secret is given as plain text on purpose: the resources must make it one themselves. */
const program = (): void => {
  const authority = new CertificateAuthority("ca", { commonName: "pg" });
  new Certificate("leaf", {
    authority: { certificatePem: authority.certificatePem, privateKeyPem: "marker-key" },
    ...{ commonName: "node", dnsNames: ["pg-0"], usages: ["server"] },
  });
  new EtcdAuthentication("etcd", {
    ...{ members, ca: "PEM", rootPassword: "marker-root" },
    scopes: [{ user: "a", password: pulumi.output("marker-a"), prefix: "/service/a/" }],
  });
  const target = { members, user: "postgres", password: "marker-super", database: "postgres", ca: "PEM" };
  const rest = { members, ca: "PEM", username: "patroni", password: "marker-rest" };
  new Roles("roles", { target, roles: [{ name: "app", password: "marker-app" }, { name: "group" }] });
  new Database("database", { target, name: "app", owner: "app" });
  new PatroniConfiguration("configuration", { rest, configuration: "{}" });
  const expectation = { members: 1, synchronousReplicas: 0, maximumLagBytes: 1 };
  new ReplicationCheck("check", { target, rest, ...expectation });
};

describe("the dynamic resources", () => {
  let recorded: readonly RecordedResource[];
  const inputsOf = (name: string) => recorded.find((resource) => resource.name === name)?.inputs;

  beforeAll(async () => {
    recorded = await record(program);
  });

  it("have types that tell them apart", () => {
    expect(recorded.map(({ type }) => type).filter((type) => type.startsWith("pulumi-nodejs"))).toEqual(
      expect.arrayContaining([
        "pulumi-nodejs:dynamic/certificates:CertificateAuthority",
        "pulumi-nodejs:dynamic/certificates:Certificate",
        "pulumi-nodejs:dynamic/etcd:EtcdAuthentication",
        "pulumi-nodejs:dynamic/sql:Roles",
        "pulumi-nodejs:dynamic/sql:Database",
        "pulumi-nodejs:dynamic/sql:ReplicationCheck",
        "pulumi-nodejs:dynamic/patroni:PatroniConfiguration",
      ]),
    );
  });

  it("make secrets of what is secret, and of nothing else", () => {
    expect(JSON.stringify(recorded)).not.toContain("marker-");
    expect(inputsOf("leaf")).toMatchObject({ authorityPrivateKeyPem: "[secret]", lifetimeDays: 365 });
    expect(inputsOf("etcd")).toMatchObject({
      ...{ rootPassword: "[secret]", passwords: "[secret]" },
      scopes: [{ user: "a", prefix: "/service/a/" }],
    });
    const defaults = {
      ...{ connectionLimit: -1, createDatabase: false, createRole: false, memberOf: [], settings: {} },
    };
    expect(inputsOf("roles")).toMatchObject({
      ...{ password: "[secret]", passwords: "[secret]", onRemoval: "disable-login" },
      roles: [
        { name: "app", login: true, ...defaults },
        { name: "group", login: false, ...defaults },
      ],
    });
    expect(inputsOf("configuration")).toMatchObject({
      password: "[secret]",
      rest: { username: "patroni", ca: "PEM" },
    });
  });

  it("keep as outputs no secret that is not marked as one", () => {
    const marked = Object.fromEntries(
      recorded.map(({ name, options }) => [name, options.additionalSecretOutputs]),
    );
    expect(marked).toMatchObject({
      ca: ["privateKeyPem"],
      leaf: ["privateKeyPem"],
      etcd: ["rootPassword", "passwords", "formerRootPassword"],
      roles: ["password", "passwords"],
      database: ["password"],
      check: ["password"],
      configuration: ["password"],
    });
  });

  it("give the check no login for the REST API, which it only reads", () => {
    expect(inputsOf("check")?.["rest"]).toEqual({ members, ca: "PEM" });
  });
});
