import { issueAuthority } from "../../../components/resources/certificates/issue";
import type { RecordedResource } from "../../support/record";
import { recordStack } from "../../support/specs";

interface Certificate {
  readonly spec: {
    readonly commonName: string;
    readonly secretName: string;
    readonly dnsNames: readonly string[];
  };
}

interface StatefulSet {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes: readonly {
          readonly projected?: {
            readonly sources: readonly { readonly secret?: { readonly name: string } }[];
          };
        }[];
      };
    };
  };
}

describe("the prod stack with an issuer", () => {
  let resources: readonly RecordedResource[];
  let own: readonly RecordedResource[];
  let authority: string;
  const ofType = (type: string): readonly RecordedResource[] =>
    resources.filter((resource) => resource.type.endsWith(`:${type}`));
  const bySecret = <T extends { readonly secretName: string }>(all: readonly T[]): T[] =>
    [...all].sort((a, b) => a.secretName.localeCompare(b.secretName));
  // Independent resources are registered in any order.
  const requests = (): readonly Certificate["spec"][] =>
    bySecret(ofType("Certificate").map(({ inputs }) => (inputs as unknown as Certificate).spec));

  beforeAll(async () => {
    const lifetime = { commonName: "issuer", lifetimeDays: 10 };
    authority = (await issueAuthority(new Date(), lifetime)).certificatePem;
    const certificates = { days: 90, issuer: { name: "postgres-authority", authority } };
    const external = [{ group: 9, host: "db9.example.com" }];
    ({ resources } = await recordStack("prod", true, "prod", { certificates, workers: { external } }));
    ({ resources: own } = await recordStack("prod", true));
  });

  test("has neither an authority nor a key of its own", () => {
    expect(resources.filter(({ type }) => type.includes("certificates:"))).toEqual([]);
    expect(ofType("Secret").filter(({ name }) => name.includes("tls"))).toEqual([]);
  });

  test("asks for the same names as its own authority would certify, each kept for the workload that mounts it", () => {
    const certified = own
      .filter(({ type }) => type.endsWith("certificates:Certificate"))
      .map(({ name, inputs }) => ({
        secretName: `pg-${name}`,
        commonName: inputs["commonName"],
        dnsNames: inputs["dnsNames"],
        ipAddresses: inputs["ipAddresses"],
      }));
    expect(certified.length).toBeGreaterThan(5);
    expect(requests()).toEqual(bySecret(certified).map((each) => expect.objectContaining(each) as unknown));
    const mounted = ofType("StatefulSet").flatMap(({ inputs }) =>
      (inputs as unknown as StatefulSet).spec.template.spec.volumes.flatMap(
        ({ projected }) => projected?.sources.flatMap(({ secret }) => secret?.name ?? []) ?? [],
      ),
    );
    expect(mounted.sort()).toEqual(requests().map(({ secretName }) => secretName));
  });

  test("starts no member before its certificate is there and signed by whom the members trust", () => {
    const sets = ofType("StatefulSet");
    const issued = ofType("CertificateIssued");
    expect(issued).toHaveLength(sets.length);
    for (const { name, dependsOn } of sets) {
      const [trusted] = ofType("ConfigMap").filter((each) =>
        each.name.startsWith(`${name}-certificate-authority-`),
      );
      expect(dependsOn).toContain(trusted?.name);
      expect(trusted?.dependsOn).toContain(`${name}-certificate-issued`);
    }
    for (const { inputs } of issued) expect(inputs["authority"]).toBe(authority);
  });

  test("what the program itself asks the members, it verifies with the issuer's authority", () => {
    const trusting = [...ofType("PatroniLeader"), ...ofType("EtcdKeys")];
    expect(trusting.length).toBeGreaterThan(3);
    for (const { inputs } of trusting) expect(JSON.stringify(inputs)).toContain(JSON.stringify(authority));
  });
});
