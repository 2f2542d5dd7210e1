import { renderDefaultPolicies, renderPolicies } from "../../../components/platforms/kubernetes/network";
import { KUBERNETES } from "./contexts";
import { DATABASE, ENTRY } from "./workloads";

const cluster = { "app.kubernetes.io/instance": KUBERNETES.cluster };
const program = (image: string) => ({
  matchLabels: { ...cluster, "app.kubernetes.io/component": image },
});
const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: "TCP", port }));

describe("network policies", () => {
  test("deny everything to every pod of the cluster, in and out, but names", () => {
    const [deny, names] = renderDefaultPolicies(KUBERNETES).map(({ spec }) => spec);
    expect(deny).toEqual({ podSelector: { matchLabels: cluster }, policyTypes: ["Ingress", "Egress"] });
    expect(names).toMatchObject({
      policyTypes: ["Egress"],
      egress: [{ ports: [{ port: 53 }, { port: 53 }] }],
    });
  });

  test("admit to each port the programs that it names, on both sides", () => {
    const [ingress, ...egress] = renderPolicies(DATABASE, KUBERNETES).map(({ spec }) => spec);
    const pods = { matchLabels: { ...cluster, "app.kubernetes.io/name": "database" } };
    expect(ingress).toEqual({
      podSelector: pods,
      policyTypes: ["Ingress"],
      ingress: [
        { from: [{ podSelector: program("haproxy") }], ports: tcp(5432, 8008) },
        { from: [{ podSelector: program("patroni") }], ports: tcp(8008) },
      ],
    });
    expect(egress).toEqual([
      {
        podSelector: program("haproxy"),
        policyTypes: ["Egress"],
        egress: [{ to: [{ podSelector: pods }], ports: tcp(5432, 8008) }],
      },
      {
        podSelector: program("patroni"),
        policyTypes: ["Egress"],
        egress: [{ to: [{ podSelector: pods }], ports: tcp(8008) }],
      },
    ]);
  });

  test("admit the networks from which up comes to the members itself, and none by default", () => {
    const [ingress] = renderPolicies(DATABASE, { ...KUBERNETES, directFrom: ["10.20.0.0/16"] });
    expect(ingress?.spec).toMatchObject({
      ingress: [
        { from: [{ ipBlock: { cidr: "10.20.0.0/16" } }], ports: tcp(5432, 8008) },
        { from: [{ podSelector: program("haproxy") }] },
        { from: [{ podSelector: program("patroni") }] },
      ],
    });
  });

  test("admit everybody where clients connect, and there only", () => {
    const [ingress] = renderPolicies(ENTRY, KUBERNETES).map(({ spec }) => spec);
    expect(ingress).toMatchObject({
      ingress: [
        { ports: tcp(6433, 6432) },
        { from: [{ podSelector: program("patroni") }], ports: tcp(5432) },
      ],
    });
  });
});
