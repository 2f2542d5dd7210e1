/** Which claims of a StatefulSet must be expanded. Pure. */

const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** Converts a storage quantity to bytes: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export function storageBytes(quantity: string): number {
  const [, number, unit = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  const factor = FACTORS[unit];
  if (number === undefined || factor === undefined) throw new Error(`${quantity} is not a storage quantity`);
  return Number(number) * factor;
}

/** A claim as the API server reports it. */
export interface VolumeClaim {
  readonly name: string;
  /** The requested size. */
  readonly requested: string;
  /** The size of its volume; undefined if it has none yet. */
  readonly capacity?: string;
  /** The volume has been expanded; its file system is expanded when a pod mounts it again. */
  readonly needsMount: boolean;
}

/** The claims that request less than `size`. */
export const tooSmall = (claims: readonly VolumeClaim[], size: string): readonly VolumeClaim[] =>
  claims.filter(({ requested }) => storageBytes(requested) < storageBytes(size));

/** Why claims are missing or smaller than `size`; empty if none is. A claim without a volume will get one of its requested size. */
export function ungrown(
  names: readonly string[],
  claims: readonly VolumeClaim[],
  size: string,
): readonly string[] {
  return names.flatMap((name) => {
    const claim = claims.find((other) => other.name === name);
    if (claim === undefined) return [`${name} does not exist yet`];
    if (claim.needsMount || claim.capacity === undefined) return [];
    return storageBytes(claim.capacity) < storageBytes(size)
      ? [`${name} has ${claim.capacity} of ${size}`]
      : [];
  });
}
