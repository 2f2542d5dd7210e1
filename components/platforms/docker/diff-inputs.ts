import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";

/** Any of `names` that differs is a change; `identity` among them, once it is known, makes another resource of it. */
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
