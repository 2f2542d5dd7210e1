// The few conversions between our plain values and the protocol's messages.

import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Properties, Value } from "./properties";

/** Provider code travels inside the messages and can be long. */
export const GRPC_OPTIONS = {
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
};

export function valuesOf(message: Struct | undefined): Properties {
  return message?.toJavaScript() ?? {};
}

export function structOf(values: Properties): Struct {
  return Struct.fromJavaScript(withoutUndefined(values) as Properties);
}

/** The protocol has no word for undefined. */
function withoutUndefined(value: Value | undefined): Value {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => (item as Value | undefined) !== undefined)
      .map(([key, item]) => [key, withoutUndefined(item)]),
  );
}
