import { CPU_SETTINGS } from "./settings/cpu";
import { integer, size } from "./settings/kinds";
import { setting, settings } from "./settings/setting";
import { memoryRange, VOLUME } from "./settings/size";

const members = integer("3 or 5; 1 in dev", (value) =>
  [1, 3, 5].includes(value)
    ? undefined
    : {
        rule: "must be 3 or 5: etcd needs a majority, so an even number tolerates no more failures than one member fewer",
        remedy: "Use 3, or 5 to survive two simultaneous failures",
      },
);

/** etcd warns at startup above 8 GiB, its suggested maximum: https://etcd.io/docs/v3.5/dev-guide/limit/#storage-size-limit */
const quota = size({
  least: 16,
  greatest: 8 * 1024,
  why: "a cluster's keys and their history need it",
  example: "256Mi",
});

/** etcd takes 30 MiB with nothing in it. */
const memory = size(memoryRange(64, "etcd would be killed as soon as it starts", "512Mi"));

export const ETCD_SETTINGS = settings({
  /** Number of members. Two or four tolerate no more failures than [one or three](https://etcd.io/docs/v3.5/faq/#why-an-odd-number-of-cluster-members). */
  members: setting(members, { default: 3, cost: "replacement" }),
  /** How much a member may store before it rejects writes. A Patroni cluster needs about 1 MiB. */
  quota: setting(quota, { default: "256Mi", cost: "replacement" }),
  /** Size of a member's data volume (Kubernetes). It can grow but not shrink. */
  volumeSize: setting(size(VOLUME), { default: "2Gi", cost: "none" }),
  /** Memory limit of a member. */
  memory: setting(memory, { default: "512Mi", cost: { docker: "none", kubernetes: "replacement" } }),
  ...CPU_SETTINGS,
});
