import type { Tunnel } from "./tunnel";
import { openTunnel } from "./tunnel";
import type { Reach } from "./reach";
import { messageOf } from "../dynamic/reason";

/** Opens a tunnel, or fails after `timeoutMs`. A tunnel that opens later is closed. */
export async function openInTime(
  reach: Reach,
  timeoutMs: number,
  options?: { readonly direct: boolean },
): Promise<Tunnel> {
  const opening: Promise<Tunnel> = openTunnel(reach, options);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      opening.then(
        (opened) => opened.close(),
        () => undefined,
      );
      reject(new Error(`no way into the cluster within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([opening, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Adds the tunnel's last problem to an error: the client only sees that its connection was closed. */
export function withTunnelProblem(error: unknown, opened: Tunnel): Error {
  const failed = error instanceof Error ? error : new Error(messageOf(error));
  const problem = opened.lastProblem();
  if (problem !== undefined && !failed.message.includes(problem)) failed.message += ` (${problem})`;
  return failed;
}
