import type * as pulumi from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { DynamicResource } from "../../dynamic/resource";
import { waitUntil } from "../../dynamic/wait-until";
import { lastLines } from "../../reach/last-lines";
import type { Command } from "../workload";
import { deletePod, execInPod, isStatus, podNames, type PodSet, readPods } from "../../reach/kubernetes/pods";
import { nextRolloutStep, unreadyMembers } from "./rollout-plan";
import { printProgress } from "../../dynamic/progress";

export interface RolloutInputs extends PodSet {
  /** The pods' only container. */
  readonly container: string;
  /** Digest of the pod template; a different one means that the pods must be replaced. */
  readonly digest: string;
  /** Runs in a pod before it is replaced. */
  readonly handover?: Command;
  /** Runs in any pod and prints the name of the pod to replace last. */
  readonly replacedLast?: Command;
  /** How long each member may take to become ready. */
  readonly deadlineSeconds: number;
}

/** The pod that the members report as leader; undefined if none of them does. */
async function lastOf(inputs: RolloutInputs): Promise<string | undefined> {
  const { namespace, container, replacedLast } = inputs;
  if (replacedLast === undefined) return undefined;
  for (const pod of podNames(inputs)) {
    const { command, timeoutSeconds } = replacedLast;
    const said = await execInPod({ namespace, pod, container }, command, timeoutSeconds).catch(
      () => undefined,
    );
    if (said?.exitCode === 0 && podNames(inputs).includes(said.output)) return said.output;
  }
  return undefined;
}

/** Makes a pod hand over what only one member can have, such as leadership. Fails if it is running and cannot. */
async function handOver(inputs: RolloutInputs, pod: string): Promise<void> {
  const { namespace, container, handover } = inputs;
  if (handover === undefined) return;
  const { exitCode, output } = await execInPod(
    { namespace, pod, container },
    handover.command,
    handover.timeoutSeconds,
  );
  if (exitCode !== 0)
    throw Object.assign(
      new Error(
        `${pod} cannot hand over, so it was not replaced: ${handover.command[0]} failed with exit code ${exitCode}.\n${output}`,
      ),
      { permanent: true },
    );
}

/** The end of the logs of pods that are not ready. */
async function explain(set: PodSet): Promise<string> {
  const seen = await readPods(set).catch(() => undefined);
  const unready = (seen?.pods ?? []).filter(({ ready }) => !ready);
  const logs = await Promise.all(
    unready.map(async ({ name, state }) => {
      const log = await lastLines({ via: "kubernetes", namespace: set.namespace, pod: name }, 15);
      return `  ${name}: ${state}${log === "" ? "" : `; the end of its log:\n${log}`}`;
    }),
  );
  return logs.join("\n");
}

/** Replaces outdated members one at a time and waits until every member is ready. Stops at a member that does not become ready. */
async function roll(inputs: RolloutInputs): Promise<void> {
  for (;;) {
    const pod = await waitUntil(
      {
        what: `the members of ${inputs.statefulSet} are ready`,
        deadlineSeconds: inputs.deadlineSeconds,
        explain: () => explain(inputs),
      },
      async () => {
        const seen = await readPods(inputs);
        if (seen === undefined)
          return { done: false, why: "the StatefulSet controller has not observed the change yet" };
        const outdated = seen.pods.some(({ revision }) => revision !== seen.revision);
        const last = outdated ? await lastOf(inputs) : undefined;
        const step = nextRolloutStep(podNames(inputs), seen.pods, seen.revision, last);
        if (step.is === "wait") return { done: false, why: step.why };
        if (step.is === "done") return { done: true, value: undefined };
        if (seen.pods.find(({ name }) => name === step.pod)?.ready === true) await handOver(inputs, step.pod);
        return { done: true, value: step.pod };
      },
    );
    if (pod === undefined) return;
    printProgress(`replacing ${pod}`);
    await deletePod(inputs.namespace, pod);
  }
}

const INPUTS = [
  ...["namespace", "statefulSet", "replicas", "container", "digest"],
  ...["handover", "replacedLast", "deadlineSeconds"],
] as const;

export const rolloutProvider: pulumi.dynamic.ResourceProvider<RolloutInputs, RolloutInputs> = {
  diff(_id, olds, news) {
    const { changed, certain } = changedInputs(olds, news, INPUTS);
    return Promise.resolve({
      changes: changed.length > 0,
      replaces: certain.filter((name) => name === "namespace" || name === "statefulSet"),
    });
  },

  // In a new workload all members start together, and may become ready only after workloads that depend on it have started.
  create(inputs) {
    return Promise.resolve({ id: `${inputs.namespace}/${inputs.statefulSet}`, outs: inputs });
  },

  // A failure is reported as "updated, but not initialised": the state then contains the attempted inputs, so that the next `up` continues.
  async update(id, _olds, news) {
    try {
      await roll(news);
    } catch (error) {
      const { message } = error as Error;
      throw Object.assign(new Error(message), { id, properties: { ...news }, reasons: [message] });
    }
    return { outs: news };
  },
};

/**
 * A rolling update of a StatefulSet with the update strategy `OnDelete`: this resource deletes the pods, because Kubernetes' own order starts
 * with the highest ordinal, even if that is the leader.
 */
export class Rollout extends DynamicResource {
  constructor(name: string, args: RolloutInputs, opts: pulumi.CustomResourceOptions) {
    super("platforms/kubernetes/rollout#rolloutProvider", name, args, opts, "postgres-cluster", "Rollout");
  }
}

export interface PodsReadyInputs extends PodSet {
  /** A different digest means new pods, so the wait is repeated. */
  readonly digest: string;
  readonly deadlineSeconds: number;
}

async function awaitReady(inputs: PodsReadyInputs): Promise<void> {
  await waitUntil(
    {
      what: `the members of ${inputs.statefulSet} are ready`,
      deadlineSeconds: inputs.deadlineSeconds,
      explain: () => explain(inputs),
    },
    async () => {
      const seen = await readPods(inputs);
      const why = seen
        ? unreadyMembers(podNames(inputs), seen.pods).join("; ")
        : "the StatefulSet controller has not observed it yet";
      return why === "" ? { done: true, value: undefined } : { done: false, why };
    },
  );
}

export const podsReadyProvider: pulumi.dynamic.ResourceProvider<PodsReadyInputs, PodsReadyInputs> = {
  diff(_id, olds, news) {
    const names = ["namespace", "statefulSet", "replicas", "digest", "deadlineSeconds"] as const;
    const { changed, certain } = changedInputs(olds, news, names);
    return Promise.resolve({
      changes: changed.length > 0,
      replaces: certain.filter((name) => name === "namespace" || name === "statefulSet"),
    });
  },

  async create(inputs) {
    await awaitReady(inputs);
    return { id: `${inputs.namespace}/${inputs.statefulSet}`, outs: inputs };
  },

  // Reports the resource as deleted if a member is not ready, so that the next `up` waits again.
  async read(id, props) {
    if (props === undefined) return { id };
    const seen = await readPods(props).catch((error: unknown) => {
      if (isStatus(error, 404)) return undefined;
      throw error;
    });
    return seen && unreadyMembers(podNames(props), seen.pods).length === 0 ? { id, props } : {};
  },

  async update(id, _olds, news) {
    try {
      await awaitReady(news);
    } catch (error) {
      const { message } = error as Error;
      throw Object.assign(new Error(message), { id, properties: { ...news }, reasons: [message] });
    }
    return { outs: news };
  },
};

/** Resolves when every member of a workload is ready; what needs the workload depends on it. */
export class PodsReady extends DynamicResource {
  constructor(name: string, args: PodsReadyInputs, opts: pulumi.CustomResourceOptions) {
    super(
      "platforms/kubernetes/rollout#podsReadyProvider",
      name,
      args,
      opts,
      "postgres-cluster",
      "PodsReady",
    );
  }
}
