import type * as pulumi from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { DynamicResource } from "../../dynamic/resource";
import { printProgress } from "../../dynamic/progress";
import { waitUntil } from "../../dynamic/wait-until";
import { kubernetesClient, type PersistentVolumeClaim } from "../../reach/kubernetes/client";
import { isStatus, podNames, type PodSet } from "../../reach/kubernetes/pods";
import { storageBytes, tooSmall, ungrown, type VolumeClaim } from "./volume-claims-plan";

export interface VolumeClaimsInputs extends PodSet {
  /** Name of the claim's template; the claims are `<template>-<pod>`. */
  readonly template: string;
  /** Minimum size of each volume. */
  readonly size: string;
  readonly storageClass?: string;
  /** How long the expansion may take. */
  readonly deadlineSeconds: number;
}

const claimNames = (inputs: VolumeClaimsInputs): string[] =>
  podNames(inputs).map((pod) => `${inputs.template}-${pod}`);

function describeClaim({ metadata, spec, status }: PersistentVolumeClaim): VolumeClaim {
  const capacity = status?.capacity?.["storage"];
  return {
    name: metadata?.name ?? "",
    requested: spec?.resources?.requests?.["storage"] ?? "0",
    ...(capacity !== undefined && { capacity }),
    needsMount: (status?.conditions ?? []).some(
      ({ type, status: holds }) => type === "FileSystemResizePending" && holds === "True",
    ),
  };
}

async function readClaims(inputs: VolumeClaimsInputs): Promise<readonly VolumeClaim[]> {
  const { client, config } = kubernetesClient();
  const core = config.makeApiClient(client.CoreV1Api);
  const found = await Promise.all(
    claimNames(inputs).map((name) =>
      core
        .readNamespacedPersistentVolumeClaim({ namespace: inputs.namespace, name })
        .catch((error: unknown) => {
          if (isStatus(error, 404)) return undefined;
          throw error;
        }),
    ),
  );
  return found.flatMap((claim) => (claim === undefined ? [] : [describeClaim(claim)]));
}

/** The API server's message about a rejected request. */
const reasonOf = (error: unknown): string => {
  const { body, message } = error as { readonly body?: unknown; readonly message?: string };
  try {
    const { message: said } = JSON.parse(String(body)) as { readonly message?: string };
    return said ?? String(message);
  } catch {
    return String(message);
  }
};

async function enlarge(inputs: VolumeClaimsInputs, { name, requested }: VolumeClaim): Promise<void> {
  const { namespace, size } = inputs;
  const { client, config } = kubernetesClient();
  printProgress(`expanding ${name} from ${requested} to ${size}`);
  try {
    await config.makeApiClient(client.CoreV1Api).patchNamespacedPersistentVolumeClaim({
      namespace,
      name,
      body: [{ op: "replace", path: "/spec/resources/requests/storage", value: size }],
    });
  } catch (error) {
    // Forbidden or invalid: the storage class or a quota does not allow it.
    if (!isStatus(error, 403) && !isStatus(error, 422)) throw error;
    throw Object.assign(
      new Error(
        `${name} cannot be expanded from ${requested} to ${size}: ${reasonOf(error)}. ` +
          "It was not changed: restore the old volumeSize, or enable volume expansion in the storage class (allowVolumeExpansion).",
      ),
      { permanent: true },
    );
  }
}

/** Expands volumes that are too small and waits until they have the size. */
async function grow(inputs: VolumeClaimsInputs): Promise<void> {
  await waitUntil(
    {
      what: `the volumes of ${inputs.statefulSet} have ${inputs.size}`,
      deadlineSeconds: inputs.deadlineSeconds,
    },
    async () => {
      const claims = await readClaims(inputs);
      for (const claim of tooSmall(claims, inputs.size)) await enlarge(inputs, claim);
      const why = ungrown(claimNames(inputs), claims, inputs.size).join("; ");
      if (why !== "") return { done: false, why };
      for (const { name } of claims.filter(({ needsMount }) => needsMount))
        printProgress(
          `${name} has been expanded; its file system is expanded when its pod is replaced (kubectl delete pod)`,
        );
      return { done: true, value: undefined };
    },
  );
}

const INPUTS = [
  ...["namespace", "statefulSet", "replicas", "template", "size", "storageClass", "deadlineSeconds"],
] as const;

export const volumeClaimsProvider: pulumi.dynamic.ResourceProvider<VolumeClaimsInputs, VolumeClaimsInputs> = {
  // Checked before anything is changed.
  check(olds: Partial<VolumeClaimsInputs>, news) {
    const failures = [];
    if (olds.size !== undefined && storageBytes(news.size) < storageBytes(olds.size))
      failures.push({
        property: "size",
        reason: `the volumes of ${news.statefulSet} have ${olds.size} and cannot shrink to ${news.size}: set volumeSize to at least ${olds.size}`,
      });
    if (olds.statefulSet !== undefined && olds.storageClass !== news.storageClass)
      failures.push({
        property: "storageClass",
        reason: `the volumes of ${news.statefulSet} have the storage class ${olds.storageClass ?? "(the default)"}, which cannot change; to use ${news.storageClass ?? "(the default)"}, create a new cluster and copy the data`,
      });
    return Promise.resolve({ inputs: news, failures });
  },

  diff(_id, olds, news) {
    const { changed, certain } = changedInputs(olds, news, INPUTS);
    return Promise.resolve({
      changes: changed.length > 0,
      replaces: certain.filter((name) => name === "namespace" || name === "statefulSet"),
    });
  },

  async create(inputs) {
    await grow(inputs);
    return { id: `${inputs.namespace}/${inputs.statefulSet}`, outs: inputs };
  },

  // A lost claim is recreated with the size in the StatefulSet's template, which is still the original one.
  async read(id, props) {
    if (props === undefined) return { id };
    const [small] = tooSmall(await readClaims(props), props.size);
    return { id, props: { ...props, ...(small && { size: small.requested }) } };
  },

  // After a failure the recorded size is kept, so that the old size can be restored.
  async update(_id, _olds, news) {
    await grow(news);
    return { outs: news };
  },
};

/**
 * Expands the volumes of a StatefulSet. The claim template cannot be changed: a different template requires a new StatefulSet, and replacing
 * it would delete all pods at once.
 */
export class VolumeClaims extends DynamicResource {
  constructor(name: string, args: VolumeClaimsInputs, opts: pulumi.CustomResourceOptions) {
    super(
      "platforms/kubernetes/volume-claims#volumeClaimsProvider",
      name,
      args,
      opts,
      "postgres-cluster",
      "VolumeClaims",
    );
  }
}
