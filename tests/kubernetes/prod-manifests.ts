import { recordStack } from "../support/specs";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The objects of the whole prod stack, as the program registers them. Secrets hold another text: the recording masks theirs. */
export async function prodManifests(distributed: boolean): Promise<readonly Manifest[]> {
  const { resources } = await recordStack("prod", distributed);
  return resources
    .filter(({ type }) => type.startsWith("kubernetes:"))
    .map(({ type, inputs }) => ({
      ...manifestOf(type, inputs),
      ...("stringData" in inputs && { stringData: { file: "text" } }),
    }));
}

/** `kubernetes:apps/v1:StatefulSet` is apiVersion `apps/v1`; of the core group it is `v1`. */
function manifestOf(type: string, inputs: object): Manifest {
  const [, version = "", kind = ""] = type.split(":");
  return { ...inputs, apiVersion: version.replace(/^core\//, ""), kind } as unknown as Manifest;
}
