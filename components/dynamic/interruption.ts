/** The request that the engine sends to every provider at the first Ctrl-C: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto. */
const CANCEL = "/pulumirpc.ResourceProvider/Cancel";
let signal: AbortSignal | undefined;

/**
 * Aborted when the Pulumi run is interrupted. The engine notifies each provider, but the SDK's server of dynamic providers ignores the
 * request, so it is detected among all requests that servers of this process receive
 * (https://nodejs.org/api/diagnostics_channel.html#http2, in Node.js 22.17 and newer).
 */
export function interruption(): AbortSignal {
  if (signal === undefined) {
    const { subscribe } = require("node:diagnostics_channel") as typeof import("node:diagnostics_channel");
    const events = require("node:events") as typeof import("node:events");
    const controller = new AbortController();
    signal = controller.signal;
    // Each wait adds a listener, and any number of waits may run at a time.
    events.setMaxListeners(0, signal);
    subscribe("http2.server.stream.created", (message) => {
      if ((message as { headers?: Record<string, unknown> }).headers?.[":path"] === CANCEL)
        controller.abort();
    });
  }
  return signal;
}

/** `passed` resolves at the interruption; `forget` removes the listener. */
export function untilInterrupted(): { readonly passed: Promise<void>; readonly forget: () => void } {
  const interrupted = interruption();
  let settle = (): void => undefined;
  const passed = new Promise<void>((resolve) => (settle = resolve));
  if (interrupted.aborted) settle();
  else interrupted.addEventListener("abort", settle, { once: true });
  return { passed, forget: () => interrupted.removeEventListener("abort", settle) };
}
