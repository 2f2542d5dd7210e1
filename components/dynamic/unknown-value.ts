/**
 * In a preview, `check` and `diff` of a dynamic provider receive this text for a value that is not known yet. It is the SDK's
 * `runtime.unknownValue`, repeated here so that the SDK need not be loaded.
 */
const UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value is unknown or contains an unknown value. */
export function isUnknown(value: unknown): boolean {
  if (value === UNKNOWN_VALUE) return true;
  if (Array.isArray(value)) return value.some((item) => isUnknown(item));
  if (typeof value === "object" && value !== null)
    return Object.values(value).some((item) => isUnknown(item));
  return false;
}
