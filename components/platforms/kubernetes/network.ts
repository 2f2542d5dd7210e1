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

/** What holds for every pod of the cluster: nothing comes in or goes out but what a workload's own policies admit, and names are resolved. */
export function renderDefaultPolicies(id: names.KubernetesIdentity): NetworkPolicy[] {
  const podSelector = { matchLabels: { "app.kubernetes.io/instance": id.cluster } };
  return [
    policy(id, `${id.cluster}-default-deny`, undefined, { podSelector, policyTypes: ["Ingress", "Egress"] }),
    policy(id, `${id.cluster}-names`, undefined, {
      podSelector,
      policyTypes: ["Egress"],
      // Wherever the cluster's DNS runs: a pod of it, or an address of the node.
      egress: [{ ports: (["UDP", "TCP"] as const).map((protocol) => ({ protocol, port: 53 })) }],
    }),
  ];
}

/**
 * Who reaches a workload: what may come in at its pods, and, for the programs that `from` names, that they may go there. Policies add up,
 * so each workload brings both sides, and none needs to know of another. Networks of `directFrom` may come to every port.
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
