/** What becomes of the claims of a StatefulSet's volumes. Pure. */

const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** A quantity of storage in bytes: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
export function storageBytes(quantity: string): number {
  const [, number, unit = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  const factor = FACTORS[unit];
  if (number === undefined || factor === undefined) throw new Error(`${quantity} is not a storage quantity`);
  return Number(number) * factor;
}

/** A claim as the API server knows it. */
export interface VolumeClaim {
  readonly name: string;
  /** What it asks for. */
  readonly requested: string;
  /** What its volume has; undefined as long as it has none. */
  readonly capacity?: string;
  /** The volume has grown and its file system grows when a pod mounts it anew. */
  readonly needsMount: boolean;
}

/** The claims that ask for less than `size`. */
export const tooSmall = (claims: readonly VolumeClaim[], size: string): readonly VolumeClaim[] =>
  claims.filter(({ requested }) => storageBytes(requested) < storageBytes(size));

/** Why not every claim is there and has grown; empty when all have. One without a volume yet gets one of the size that it asks for. */
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
