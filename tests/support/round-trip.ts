import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { fingerprint } from "./providers";

/** A provider as the engine sees it: the resource's class gave it to the serialiser, and the text was loaded in another module. */
export interface LoadedProvider<I, O> {
  readonly text: string;
  readonly provider: Required<pulumi.dynamic.ResourceProvider<I, O>>;
  /** What it has printed: the engine shows these lines as progress. */
  readonly printed: string[];
}

interface LoadedModule<I, O> {
  handler(): Required<pulumi.dynamic.ResourceProvider<I, O>>;
  readonly printed: string[];
}

/** Serialising takes longer than anything else here, and always gives the same: the unit tests' setup.ts does it for all of them. */
const texts = new WeakMap<object, Promise<string>>();

async function serialised(provider: object): Promise<string> {
  const kept = process.env["PROVIDER_TEXTS"];
  const all = kept === undefined ? {} : (JSON.parse(readFileSync(kept, "utf8")) as Record<string, string>);
  return all[fingerprint(provider)] ?? (await pulumi.runtime.serializeFunction(() => provider)).text;
}

/**
 * Serialises a provider the way `pulumi.dynamic.Resource` does and loads it the way the dynamic-provider server does. Most of what
 * breaks a dynamic provider in `pulumi up` passes every other unit test and fails here.
 */
export async function roundTrip<I, O>(
  provider: pulumi.dynamic.ResourceProvider<I, O>,
): Promise<LoadedProvider<I, O>> {
  if (!texts.has(provider)) texts.set(provider, serialised(provider));
  const text = await texts.get(provider)!;
  const requireFromString = require("require-from-string") as (code: string) => LoadedModule<I, O>;
  const capture = `exports.printed = []; const console = { log: (line) => void exports.printed.push(line) };\n`;
  const loaded = requireFromString(capture + text);
  return { text, provider: loaded.handler(), printed: loaded.printed };
}
