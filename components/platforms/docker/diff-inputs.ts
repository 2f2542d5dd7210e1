import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";

/** A difference in any of `names` is a change; one in `identity`, once its value is known, is a replacement. */
export function diffInputs(
  olds: object,
  news: object,
  names: readonly string[],
  identity: string,
): Promise<dynamic.DiffResult> {
  const { changed, certain } = changedInputs(olds, news, names);
  return Promise.resolve({
    changes: changed.length > 0,
    replaces: certain.filter((name) => name === identity),
  });
}
