/** What the engine asks of every provider at the first Ctrl-C: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto. */
const CANCEL = "/pulumirpc.ResourceProvider/Cancel";
let signal: AbortSignal | undefined;

/**
 * Aborted once the run that this process works for is interrupted. The engine says so to each provider; the SDK's server of dynamic ones
 * answers and does nothing, so it is seen here among the requests that any server of this process gets
 * (https://nodejs.org/api/diagnostics_channel.html#http2, which Node.js 22.17 and newer have).
 */
export function interruption(): AbortSignal {
  if (signal === undefined) {
    const { subscribe } = require("node:diagnostics_channel") as typeof import("node:diagnostics_channel");
    const events = require("node:events") as typeof import("node:events");
    const controller = new AbortController();
    signal = controller.signal;
    // Each wait listens, and there may be any number of them at a time.
    events.setMaxListeners(0, signal);
    subscribe("http2.server.stream.created", (message) => {
      if ((message as { headers?: Record<string, unknown> }).headers?.[":path"] === CANCEL)
        controller.abort();
    });
  }
  return signal;
}

/** Settles with the interruption, unless it is forgotten before. */
export function untilInterrupted(): { readonly passed: Promise<void>; readonly forget: () => void } {
  const interrupted = interruption();
  let settle = (): void => undefined;
  const passed = new Promise<void>((resolve) => (settle = resolve));
  if (interrupted.aborted) settle();
  else interrupted.addEventListener("abort", settle, { once: true });
  return { passed, forget: () => interrupted.removeEventListener("abort", settle) };
}
