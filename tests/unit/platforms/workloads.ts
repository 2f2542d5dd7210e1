import type { WorkloadSpec } from "../../../components/platforms/workload";

/** A workload that uses every field. */
export const DATABASE: WorkloadSpec = {
  name: "database",
  image: "patroni",
  replicas: 2,
  command: ["start", "--name", "$(REPLICA_NAME)"],
  env: { ADVERTISED: "$(REPLICA_ADDRESS):5432", PRICE: "5 $$ $(REPLICA_ORDINAL)" },
  configuration: {
    "/etc/patroni": { files: { "cluster.yml": "scope: pg-dev\n" }, onChange: "replace" },
    "/etc/patroni-bootstrap": { files: { "bootstrap.yml": "bootstrap: {}\n" }, onChange: "reload" },
  },
  secrets: { "/secrets/tls": { name: "database-tls" }, "/secrets/patroni": { name: "patroni" } },
  data: { path: "/var/lib/postgresql", size: "10Gi" },
  scratch: ["/tmp", "/run/postgresql"],
  ports: {
    rest: { port: 8008, from: ["haproxy", "patroni"] },
    postgres: { port: 5432, from: ["haproxy"] },
  },
  readiness: {
    command: ["ready", "$(REPLICA_NAME)"],
    timeoutSeconds: 5,
    intervalSeconds: 3,
    failureThreshold: 3,
    startPeriodSeconds: 60,
  },
  liveness: {
    command: ["alive"],
    timeoutSeconds: 5,
    intervalSeconds: 10,
    failureThreshold: 6,
    startPeriodSeconds: 90,
  },
  resources: { memoryMiB: 512, cpuMillis: 250, cpuLimitMillis: 500, sharedMemoryMiB: 128 },
  stopGraceSeconds: 60,
  handover: { command: ["handover", "--from=$(REPLICA_NAME)"], timeoutSeconds: 30 },
  beforeStop: { command: ["handover", "--patience=9"], timeoutSeconds: 10 },
  replacedLast: { command: ["leader"], timeoutSeconds: 3 },
};

/** The least that a workload can be, with ports for clients. */
export const ENTRY: WorkloadSpec = {
  name: "entry",
  image: "haproxy",
  replicas: 2,
  ports: {
    write: { port: 6432, from: "anybody" },
    read: { port: 6433, from: "anybody" },
    "direct-write": { port: 5432, from: ["patroni"] },
  },
  readiness: {
    command: ["true"],
    timeoutSeconds: 1,
    intervalSeconds: 60,
    failureThreshold: 3,
    startPeriodSeconds: 0,
  },
  stopGraceSeconds: 5,
  exposed: { hostPorts: { write: 15432, read: 15433 }, replicaStep: 10 },
};
