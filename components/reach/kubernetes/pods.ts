/** What the dynamic resources ask of pods. */
import type { Writable } from "node:stream";
import { messageOf } from "../../dynamic/reason";
import { waitUntil } from "../../dynamic/wait-until";
import type { Execution } from "../cluster-members";
import { kubernetesClient, type Pod, type Status } from "./client";

/** A pod as the API server knows it. */
export interface MemberPod {
  readonly name: string;
  /** Of the template that it was made from. */
  readonly revision: string;
  readonly ready: boolean;
  /** It has been told to end. */
  readonly ending: boolean;
  /** What keeps it from being ready, in a few words. */
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

/** What the API server said of a request that it refused, in a line; of any other error its message. */
export function refusalOf(error: unknown): string {
  const { body } = (error ?? {}) as { readonly body?: unknown };
  try {
    const { message } = (typeof body === "string" ? JSON.parse(body) : body) as {
      readonly message?: unknown;
    };
    if (typeof message === "string" && message !== "") return message;
  } catch {
    // Not the API server's own words.
  }
  return messageOf(error);
}

/** The pods of a StatefulSet that exist, and the revision that they should have. Undefined while the controller has not seen its template. */
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

/** A pod in the words of the rolling change; its state is what a person would look for first. */
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
      ? [`ended with ${terminated.exitCode}${terminated.reason ? ` (${terminated.reason})` : ""}`]
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

/** Deletes a pod, with the grace period that it has; its StatefulSet makes it anew. */
export async function deletePod(namespace: string, name: string): Promise<void> {
  const { client, config } = kubernetesClient();
  await config
    .makeApiClient(client.CoreV1Api)
    .deleteNamespacedPod({ namespace, name })
    .catch((error: unknown) => {
      if (!isStatus(error, 404)) throw error;
    });
}

/** Deletes a pod, and resolves when its StatefulSet has made another one of its name. */
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
      : { done: false, why: now === undefined ? "it is gone" : "it is ending" };
  });
}

/** The exit code in the API server's last word on a command; undefined when the command did not run to its end. */
export const exitCodeOf = ({ status, details }: Status): number | undefined => {
  if (status === "Success") return 0;
  const code = details?.causes?.find(({ reason }) => reason === "ExitCode")?.message;
  return code === undefined ? undefined : Number(code);
};

/** Runs a command in a pod's only container; the exit code and both of its outputs. Fails when the pod does not run it, or not in time. */
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
          opened.on("close", () => reject(new Error(`${command[0]} in ${pod}: cut off`)));
        }, reject);
    });
    const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString("utf8").trim();
    return { exitCode, stdout: text(printed), output: text(both) };
  } finally {
    clearTimeout(timer);
    socket?.close();
  }
}
