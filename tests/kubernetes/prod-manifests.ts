import { manifestOf } from "./applier";
import { recordStack } from "../support/specs";

/** The objects of the whole prod stack, as the program registers them. Secrets hold another text: the recording masks theirs. */
export async function prodManifests(distributed: boolean): Promise<readonly ReturnType<typeof manifestOf>[]> {
  const { resources } = await recordStack("prod", distributed);
  return resources
    .filter(({ type }) => type.startsWith("kubernetes:"))
    .map(({ type, inputs }) => ({
      ...manifestOf(type, inputs as never),
      ...("stringData" in inputs && { stringData: { file: "text" } }),
    }));
}
