/** Adds guests to a workload: the parts of a contribution that apply to any host. */
import type { Resource } from "@pulumi/pulumi";
import { guestsJson, GUESTS_DIRECTORY } from "../../config-files/guests/guests";
import type { ClusterCertificates, WorkloadCertificateArgs } from "../cluster-certificates";
import type { Platform } from "../platforms/platform";
import type { SecretRef, WorkloadSpec } from "../platforms/workload";
import { type Problem, refuse } from "../settings/problems";
import type { Guests, MetricsEndpoint, WorkloadContribution } from "./contribution";

const NAME = /^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/;

/** Something that a guest needs exclusively: `what` it is, and the `key` that must be unique. */
interface Claim {
  readonly guest: string;
  readonly what: string;
  readonly key: string | number;
}

function claimsOf(guest: WorkloadContribution): Claim[] {
  const claims = (what: string, keys: readonly (string | number)[]): Claim[] =>
    keys.map((key) => ({ guest: guest.guest, what, key }));
  const ports = Object.entries(guest.ports ?? {});
  return [
    ...claims("the name", [guest.guest]),
    ...claims("the directory", [
      ...Object.keys(guest.files ?? {}),
      ...Object.keys(guest.secrets ?? {}),
      ...(guest.certificates ?? []).map(({ directory }) => directory),
      ...(guest.scratch ?? []),
    ]),
    ...claims(
      "the port's name",
      ports.map(([name]) => name),
    ),
    ...claims(
      "the port",
      ports.map(([, { port }]) => port),
    ),
    ...claims(
      "the companion",
      (guest.companions ?? []).map(({ name }) => name),
    ),
    ...claims(
      "the check",
      (guest.checks ?? []).map(({ name }) => name),
    ),
  ];
}

function ownClaims(spec: WorkloadSpec): Claim[] {
  const { scratch = [], ports, configuration, secrets } = spec;
  return claimsOf({
    guest: spec.name,
    scratch,
    ports,
    files: configuration,
    secrets: secrets && mapped(secrets, () => ({})),
  });
}

const mapped = <A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]));

/**
 * Conflicts between two guests or between a guest and its host, and invalid names and limits of companions. Found before any resource
 * exists.
 */
export function guestProblems(spec: WorkloadSpec, guests: Guests): readonly Problem[] {
  const problems: Problem[] = [];
  const problem = (guest: string, value: unknown, rule: string, remedy: string): void =>
    void problems.push({ setting: `${spec.name}.guests.${guest}`, value, rule, remedy });
  const taken = new Map<string, string>(
    ownClaims(spec).map(({ what, key, guest }) => [`${what} ${key}`, `its host "${guest}"`]),
  );
  for (const guest of guests) {
    for (const { what, key } of claimsOf(guest)) {
      const other = taken.get(`${what} ${key}`);
      if (other !== undefined)
        problem(
          guest.guest,
          key,
          `uses ${what} that ${other} already has`,
          "Choose another one, or remove one of the two",
        );
      taken.set(`${what} ${key}`, `the guest "${guest.guest}"`);
    }
    if (!NAME.test(guest.guest))
      problem(guest.guest, guest.guest, "must be a DNS label of at most 32 characters", "Rename the guest");
    for (const { name, memoryMiB, oomScoreAdj = 0, nice = 0, command } of guest.companions ?? []) {
      const wrong = [
        ...(NAME.test(name) ? [] : ["its name must be a DNS label of at most 32 characters"]),
        ...(command.length > 0 ? [] : ["it has no command"]),
        ...(Number.isInteger(memoryMiB) && memoryMiB > 0
          ? []
          : ["memoryMiB must be a whole number of at least 1"]),
        ...(oomScoreAdj >= 0 && oomScoreAdj <= 1000 ? [] : ["oomScoreAdj must be from 0 to 1000"]),
        ...(nice >= 0 && nice <= 19 ? [] : ["nice must be from 0 to 19"]),
      ];
      for (const rule of wrong)
        problem(guest.guest, name, `is a companion that cannot run: ${rule}`, "Correct it");
    }
  }
  return problems;
}

/** Merges records of all guests. Their keys are unique: `guestProblems`. */
const united = <T>(
  guests: Guests,
  of: (guest: WorkloadContribution) => Readonly<Record<string, T>> | undefined,
): Record<string, T> => Object.fromEntries(guests.flatMap((guest) => Object.entries(of(guest) ?? {})));

/** The workload with its guests. `secrets`: their secrets and certificates, by directory. */
export function withGuests(
  spec: WorkloadSpec,
  guests: Guests,
  secrets: Readonly<Record<string, SecretRef>>,
): WorkloadSpec {
  if (guests.length === 0) return spec;
  const all = <T>(of: (guest: WorkloadContribution) => readonly T[] | undefined): T[] =>
    guests.flatMap((guest) => of(guest) ?? []);
  const told = guestsJson(guests);
  const companionsMiB = all(({ companions }) => companions).reduce(
    (sum, { memoryMiB }) => sum + memoryMiB,
    0,
  );
  const { resources } = spec;
  const egress = [...(spec.egress ?? []), ...all((guest) => guest.egress)];
  return {
    ...spec,
    configuration: {
      ...spec.configuration,
      ...united(guests, ({ files }) => files),
      ...(told !== "" && { [GUESTS_DIRECTORY]: { onChange: "replace", files: { "guests.json": told } } }),
    },
    secrets: { ...spec.secrets, ...secrets },
    scratch: [...(spec.scratch ?? []), ...all(({ scratch }) => scratch)],
    ports: { ...spec.ports, ...united(guests, ({ ports }) => ports) },
    ...(egress.length > 0 && { egress }),
    // Memory for companions is added to the limit, so that the program keeps its own.
    ...(resources?.memoryMiB !== undefined &&
      companionsMiB > 0 && { resources: { ...resources, memoryMiB: resources.memoryMiB + companionsMiB } }),
  };
}

/** What is needed to declare the resources of guests. */
export interface HostContext {
  readonly platform: Platform;
  readonly certificates: ClusterCertificates;
  /** Arguments of the host's own certificate. Certificates of guests have the same names and reach members in the same order. */
  readonly certificate: Omit<WorkloadCertificateArgs, "commonName">;
  readonly parent: Resource;
}

/**
 * The name of a guest's nth secret or certificate: `patroni.exporter.0`. The full stops keep it apart from every other name: workloads and
 * guests are DNS labels, the host's own secrets have none, and a certificate's name gets a suffix (`-tls`, `-certificate`).
 */
const secretName = ({ name }: WorkloadSpec, { guest }: WorkloadContribution, ordinal: number): string =>
  `${name}.${guest}.${ordinal}`;

/** Declares the secrets and certificates of guests and adds them to the workload. Throws on conflicts. */
export function hostGuests(spec: WorkloadSpec, guests: Guests, context: HostContext): WorkloadSpec {
  refuse(spec.name, guestProblems(spec, guests));
  const { platform, certificates, certificate, parent } = context;
  const secrets: Record<string, SecretRef> = {};
  for (const guest of guests) {
    Object.entries(guest.secrets ?? {}).forEach(([directory, data], i) => {
      secrets[directory] = platform.secret(secretName(spec, guest, i), data, { parent });
    });
    (guest.certificates ?? []).forEach(({ directory, commonName }, i) => {
      const name = secretName(spec, guest, i);
      secrets[directory] = certificates.issue(spec.name, { ...certificate, commonName, name }, parent);
    });
  }
  return withGuests(spec, guests, secrets);
}

/** A metrics endpoint of one member, as plain addresses. */
export interface ScrapeTarget extends Required<MetricsEndpoint> {
  readonly workload: string;
  readonly member: string;
  /** The DNS name in its certificate. */
  readonly address: string;
}

export const scrapeTargets = (
  spec: Pick<WorkloadSpec, "name" | "replicas">,
  guests: Guests,
  platform: Pick<Platform, "replicaName" | "replicaAddress">,
): readonly ScrapeTarget[] =>
  guests.flatMap(({ metrics = [] }) =>
    metrics.flatMap((endpoint) =>
      [...Array(spec.replicas).keys()].map((ordinal) => ({
        ...{ path: "/metrics", scheme: "https" as const, ...endpoint },
        workload: spec.name,
        member: platform.replicaName(spec.name, ordinal),
        address: platform.replicaAddress(spec.name, ordinal),
      })),
    ),
  );
