import type * as inputs from "@pulumi/kubernetes/types/input";
import { workloadName } from "../../reach/names";
import type { WorkloadSpec } from "../workload";
import * as names from "../../reach/kubernetes/names";
import { sorted } from "./pod";

type NetworkPolicy = inputs.networking.v1.NetworkPolicy & {
  readonly metadata: { readonly name: string };
};
type Peers = inputs.networking.v1.NetworkPolicyPeer[];

const policy = (
  id: names.KubernetesIdentity,
  name: string,
  workload: string | undefined,
  spec: inputs.networking.v1.NetworkPolicySpec,
): NetworkPolicy => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: {
    name,
    namespace: id.namespace,
    labels: names.objectLabels(id, workload),
    annotations: names.OBJECT_ANNOTATIONS,
  },
  spec,
});

/** The policies of all pods of the cluster: deny all traffic that no workload's policy allows, but allow DNS. */
export function renderDefaultPolicies(id: names.KubernetesIdentity): NetworkPolicy[] {
  const podSelector = { matchLabels: { "app.kubernetes.io/instance": id.cluster } };
  return [
    policy(id, `${id.cluster}-default-deny`, undefined, { podSelector, policyTypes: ["Ingress", "Egress"] }),
    policy(id, `${id.cluster}-names`, undefined, {
      podSelector,
      policyTypes: ["Egress"],
      // Any destination: the cluster's DNS may be a pod or an address of the node.
      egress: [{ ports: (["UDP", "TCP"] as const).map((protocol) => ({ protocol, port: 53 })) }],
    }),
  ];
}

/**
 * Who may connect to a workload: the ingress policy of its pods, and the egress policies of the programs in `from`. Policies are additive,
 * so each workload declares both sides without knowing the others. The networks in `directFrom` may connect to every port.
 */
export function renderPolicies(
  spec: WorkloadSpec,
  id: names.KubernetesIdentity & { readonly directFrom?: readonly string[] },
): NetworkPolicy[] {
  const workload = workloadName(id, spec.name);
  const pods = { matchLabels: names.selectorLabels(id, spec.name) };
  const program = (image: string) => ({ matchLabels: names.programLabels(id, image) });
  const programs = [
    ...new Set(sorted(spec.ports).flatMap(([, { from }]) => (from === "anybody" ? [] : from))),
  ].sort();
  const ports = (admits: (from: WorkloadSpec["ports"][string]["from"]) => boolean) =>
    sorted(spec.ports)
      .filter(([, { from }]) => admits(from))
      .map(([, { port }]) => ({ protocol: "TCP", port }));
  const rules: { from?: Peers; ports: ReturnType<typeof ports> }[] = [
    { ports: ports((from) => from === "anybody") },
    ...(id.directFrom
      ? [
          {
            from: id.directFrom.map((cidr) => ({ ipBlock: { cidr } })),
            ports: ports((from) => from !== "anybody"),
          },
        ]
      : []),
    ...programs.map((image) => ({
      from: [{ podSelector: program(image) }],
      ports: ports((from) => from !== "anybody" && from.includes(image)),
    })),
  ].filter((rule) => rule.ports.length > 0);
  const outside = (spec.egress ?? []).map(({ network, ports: open }) => ({
    to: [{ ipBlock: { cidr: network } }],
    ports: open.map((port) => ({ protocol: "TCP", port })),
  }));
  return [
    policy(id, workload, spec.name, { podSelector: pods, policyTypes: ["Ingress"], ingress: rules }),
    ...(outside.length > 0
      ? [
          policy(id, `${workload}-outside`, spec.name, {
            podSelector: pods,
            policyTypes: ["Egress"],
            egress: outside,
          }),
        ]
      : []),
    ...programs.map((image) =>
      policy(id, `${workload}-from-${image}`, spec.name, {
        podSelector: program(image),
        policyTypes: ["Egress"],
        egress: [
          {
            to: [{ podSelector: pods }],
            ports: ports((from) => from !== "anybody" && from.includes(image)),
          },
        ],
      }),
    ),
  ];
}
