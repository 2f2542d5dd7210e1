import { z } from "zod";
import { byName, choice, list, text } from "../../settings/kinds";
import { setting, settings } from "../../settings/setting";

/** Settings of the Kubernetes cluster. */
export const KUBERNETES_SETTINGS = settings({
  /** Storage class of the data volumes. */
  storageClass: setting(text(), { cost: "never", otherwise: "the cluster's default class" }),
  /** Type of HAProxy's Service. `ClusterIP` is only reachable from inside the Kubernetes cluster. */
  exposeAs: setting(choice("ClusterIP", "NodePort", "LoadBalancer"), { default: "ClusterIP", cost: "none" }),
  /** Annotations of HAProxy's Service, for example for a cloud load balancer. */
  exposeAnnotations: setting(byName("texts by name", z.string()), { default: {}, cost: "none" }),
  /** DNS domain of the Kubernetes cluster. */
  clusterDomain: setting(text(), { default: "cluster.local", cost: "replacement" }),
  /** Priority class of the pods. It must exist. */
  priorityClass: setting(text(), { cost: "replacement", otherwise: "the cluster's default" }),
  /**
   * Networks (CIDR) from which `pulumi up` connects directly to members, such as that of CI runners inside the Kubernetes cluster. The
   * superuser's password is accepted from there.
   */
  directFrom: setting(list("list of networks", z.union([z.cidrv4(), z.cidrv6()]), 1), {
    cost: "reload",
    otherwise: "none: the API server's port-forward is used",
  }),
  /** Secret in the namespace with the registry's credentials. It must exist. */
  imagePullSecret: setting(text(), { cost: "replacement", otherwise: "none" }),
});
