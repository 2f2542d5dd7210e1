import { z } from "zod";
import { byName, choice, list, text } from "../../settings/kinds";
import { setting, settings } from "../../settings/setting";

/** What the Kubernetes cluster is like. */
export const KUBERNETES_SETTINGS = settings({
  /** Storage class of the data volumes. */
  storageClass: setting(text(), { cost: "never", otherwise: "the cluster's default class" }),
  /** How the entry is reached; `ClusterIP` only from inside the Kubernetes cluster. */
  exposeAs: setting(choice("ClusterIP", "NodePort", "LoadBalancer"), { default: "ClusterIP", cost: "none" }),
  /** Annotations of the entry's Service, such as those of a cloud's load balancer. */
  exposeAnnotations: setting(byName("texts by name", z.string()), { default: {}, cost: "none" }),
  /** DNS domain of the Kubernetes cluster. */
  clusterDomain: setting(text(), { default: "cluster.local", cost: "replacement" }),
  /** Priority class of the pods; it must exist. */
  priorityClass: setting(text(), { cost: "replacement", otherwise: "the cluster's default" }),
  /**
   * Networks (CIDR) from which `pulumi up` reaches members by their own addresses, such as that of runners inside the Kubernetes cluster; the
   * superuser's password is accepted from there.
   */
  directFrom: setting(list("list of networks", z.union([z.cidrv4(), z.cidrv6()]), 1), {
    cost: "reload",
    otherwise: "none: the API server's port-forward is used",
  }),
  /** Secret of the namespace with the registry's credentials; it must exist. */
  imagePullSecret: setting(text(), { cost: "replacement", otherwise: "none" }),
});
