/** Operations on pods that the dynamic resources need. */
import type { Writable } from "node:stream";
import { messageOf } from "../../dynamic/reason";
import { waitUntil } from "../../dynamic/wait-until";
import type { Execution } from "../cluster-members";
import { kubernetesClient, type Pod, type Status } from "./client";

/** A pod as the API server reports it. */
export interface MemberPod {
  readonly name: string;
  /** Revision of the template that it was created from. */
  readonly revision: string;
  readonly ready: boolean;
  /** It is being deleted. */
  readonly ending: boolean;
  /** Why it is not ready, in a few words. */
  readonly state: string;
}

export interface PodSet {
  readonly namespace: string;
  /** Name of the StatefulSet; its pods are `<name>-0` and so on. */
  readonly statefulSet: string;
  readonly replicas: number;
}

export const podNames = ({ statefulSet, replicas }: PodSet): string[] =>
  [...Array(replicas).keys()].map((ordinal) => `${statefulSet}-${ordinal}`);

export const isStatus = (error: unknown, code: number): boolean => (error as { code?: number }).code === code;

/** The API server's message about a request that it rejected; for any other error, that error's message. */
export function refusalOf(error: unknown): string {
  const { body } = (error ?? {}) as { readonly body?: unknown };
  try {
    const { message } = (typeof body === "string" ? JSON.parse(body) : body) as {
      readonly message?: unknown;
    };
    if (typeof message === "string" && message !== "") return message;
  } catch {
    // Not a status of the API server.
  }
  return messageOf(error);
}

/** The existing pods of a StatefulSet, and the revision that they should have. Undefined until the controller has observed its template. */
export async function readPods(
  set: PodSet,
): Promise<{ readonly pods: readonly MemberPod[]; readonly revision: string } | undefined> {
  const { client, config } = kubernetesClient();
  const { namespace, statefulSet } = set;
  const { metadata, status } = await config
    .makeApiClient(client.AppsV1Api)
    .readNamespacedStatefulSet({ namespace, name: statefulSet });
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 1) || !status?.updateRevision)
    return undefined;
  const core = config.makeApiClient(client.CoreV1Api);
  const pods = await Promise.all(
    podNames(set).map((name) =>
      core.readNamespacedPod({ namespace, name }).catch((error: unknown) => {
        if (isStatus(error, 404)) return undefined;
        throw error;
      }),
    ),
  );
  return {
    pods: pods.flatMap((pod) => (pod === undefined ? [] : [describePod(pod)])),
    revision: status.updateRevision,
  };
}

/** Describes a pod for the rolling update; `state` is what a person would look for first. */
export function describePod(pod: Pod): MemberPod {
  const { metadata, status } = pod;
  const [container] = status?.containerStatuses ?? [];
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  const waiting = container?.state?.waiting;
  const terminated = container?.state?.terminated ?? container?.lastState?.terminated;
  const restarts = container?.restartCount ?? 0;
  const words = [
    status?.phase ?? "unknown",
    ...(scheduled?.status === "False" ? [scheduled.message ?? "not scheduled"] : []),
    ...(waiting ? [[waiting.reason, waiting.message].filter(Boolean).join(": ")] : []),
    ...(terminated
      ? [`exited with ${terminated.exitCode}${terminated.reason ? ` (${terminated.reason})` : ""}`]
      : []),
    ...(restarts > 0 ? [`restarted ${restarts} times`] : []),
  ];
  return {
    name: metadata?.name ?? "",
    revision: metadata?.labels?.["controller-revision-hash"] ?? "",
    ready: status?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
    ending: metadata?.deletionTimestamp !== undefined,
    state: words.join(", "),
  };
}

/** Deletes a pod with its own grace period; its StatefulSet recreates it. */
export async function deletePod(namespace: string, name: string): Promise<void> {
  const { client, config } = kubernetesClient();
  await config
    .makeApiClient(client.CoreV1Api)
    .deleteNamespacedPod({ namespace, name })
    .catch((error: unknown) => {
      if (!isStatus(error, 404)) throw error;
    });
}

/** Deletes a pod, and resolves when its StatefulSet has created a new one of the same name. */
export async function replacePod(namespace: string, name: string): Promise<void> {
  const { client, config } = kubernetesClient();
  const core = config.makeApiClient(client.CoreV1Api);
  const uid = (): Promise<string | undefined> =>
    core.readNamespacedPod({ namespace, name }).then(
      ({ metadata }) => metadata?.uid,
      (error: unknown) => {
        if (isStatus(error, 404)) return undefined;
        throw error;
      },
    );
  const before = await uid();
  await deletePod(namespace, name);
  await waitUntil({ what: `${name} is recreated`, deadlineSeconds: 300 }, async () => {
    const now = await uid();
    return now !== undefined && now !== before
      ? { done: true, value: undefined }
      : { done: false, why: now === undefined ? "it does not exist yet" : "it is terminating" };
  });
}

/** The exit code in the API server's final status of a command; undefined when the command did not finish. */
export const exitCodeOf = ({ status, details }: Status): number | undefined => {
  if (status === "Success") return 0;
  const code = details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  return code === undefined ? undefined : Number(code);
};

/** Runs a command in a pod's only container and returns its exit code and outputs. Fails if the pod cannot run it or it exceeds its timeout. */
export async function execInPod(
  {
    namespace,
    pod,
    container,
  }: { readonly namespace: string; readonly pod: string; readonly container: string },
  command: readonly string[],
  timeoutSeconds: number,
): Promise<Execution> {
  const { PassThrough } = require("node:stream") as typeof import("node:stream");
  const { client, config } = kubernetesClient();
  const [both, printed]: [Buffer[], Buffer[]] = [[], []];
  const keep = (...kept: Buffer[][]): Writable =>
    new PassThrough().on("data", (chunk: Buffer) => kept.forEach((chunks) => chunks.push(chunk)));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let socket: { close(): void } | undefined;
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${command[0]} in ${pod} did not end within ${timeoutSeconds} s`)),
        timeoutSeconds * 1000,
      );
      new client.Exec(config)
        .exec(
          namespace,
          pod,
          container,
          [...command],
          keep(both, printed),
          keep(both),
          null,
          false,
          (status) => {
            const code = exitCodeOf(status);
            if (code !== undefined) resolve(code);
            else reject(new Error(`${command[0]} in ${pod}: ${status.message ?? "no answer"}`));
          },
        )
        .then((opened) => {
          socket = opened;
          opened.on("close", () => reject(new Error(`${command[0]} in ${pod}: the connection was closed`)));
        }, reject);
    });
    const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString("utf8").trim();
    return { exitCode, stdout: text(printed), output: text(both) };
  } finally {
    clearTimeout(timer);
    socket?.close();
  }
}
