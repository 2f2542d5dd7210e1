import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { recordedState } from "../../dynamic/recorded-state";
import { orDrift } from "../../dynamic/drift";
import { isUnknown } from "../../dynamic/unknown-value";
import { readConfiguration } from "./apply";
import { applyGuarded } from "./guarded";
import { judge } from "./judge";
import { dependsOnImage, describeRefusals, type JudgedGroup, questionOf } from "./judge-plan";
import type { JsonObject } from "./plan";
import { describePatch, planPatch } from "./plan";
import type { PatroniRest, RestTarget } from "./rest";
import { withPatroni } from "./rest";
import { readStatus } from "./status";
import { printProgress } from "../../dynamic/progress";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const PATRONI_CONFIGURATION_PROVIDER_VERSION = 1;

export interface PatroniConfigurationInputs {
  readonly rest: Omit<RestTarget, "password">;
  /** The password of the REST API's user. */
  readonly password: string;
  /** The dynamic configuration as JSON. */
  readonly configuration: string;
  /** The group whose members validate the configuration. Default: no validation. */
  readonly group?: JudgedGroup;
  readonly deadlineSeconds: number;
  readonly restartSeconds: number;
  readonly providerVersion: number;
}

function targetOf(inputs: PatroniConfigurationInputs): RestTarget {
  return { ...inputs.rest, password: inputs.password };
}

async function apply(
  inputs: PatroniConfigurationInputs,
  olds: Pick<PatroniConfigurationInputs, "configuration" | "group"> | undefined,
): Promise<PatroniConfigurationInputs> {
  const desired = JSON.parse(inputs.configuration) as JsonObject;
  const before = JSON.parse(olds?.configuration ?? "{}") as JsonObject;
  await withPatroni(targetOf(inputs), async (rest) => {
    if (olds === undefined && (await isSettled(rest, desired))) return;
    const changed = changedInputs(olds?.group ?? {}, inputs.group ?? {}, ["extensions", "librariesBefore"]);
    const judged = inputs.group && {
      group: inputs.group,
      extensionsChanged: olds !== undefined && changed.changed.length > 0,
    };
    await applyGuarded(rest, inputs.rest.members, desired, before, inputs, judged);
  });
  return inputs;
}

/**
 * Whether a new cluster already has this configuration. Then there is no need to wait for members that are still being cloned, because
 * they start with it.
 */
async function isSettled(rest: PatroniRest, desired: JsonObject): Promise<boolean> {
  const live = await readConfiguration(rest).catch(() => undefined);
  if (live === undefined || planPatch(live, desired, {}) !== undefined) return false;
  const { members } = await readStatus(rest);
  return members.every((member) => member.pendingRestart === undefined);
}

/**
 * What PostgreSQL rejects in a changed configuration; also runs in previews, if a member can be asked. If the image changes too, libraries and
 * extensions that the current one lacks are ignored here: the new image is asked before anything is applied.
 */
async function judgedBeforehand(
  olds: Partial<PatroniConfigurationInputs>,
  news: PatroniConfigurationInputs,
): Promise<string | undefined> {
  const { group } = news;
  if (group === undefined || olds.group === undefined || isUnknown(news.rest)) return undefined;
  if (changedInputs(olds, news, ["configuration", "group"]).changed.length === 0) return undefined;
  const before = JSON.parse(olds.configuration ?? "{}") as JsonObject;
  const question = questionOf(JSON.parse(news.configuration) as JsonObject, before, group);
  const judgement = await judge(news.rest.members, undefined, question);
  if (judgement.by === undefined) return undefined;
  const sameImage = olds.group.image === group.image;
  const refusals = judgement.refusals.filter((refusal) => sameImage || !dependsOnImage(refusal));
  return refusals.length === 0 ? undefined : describeRefusals(refusals, question, group.section);
}

/** Differences of the running cluster from the declaration. Empty if it cannot be reached, because a preview must not fail for that. */
async function liveDrift(inputs: PatroniConfigurationInputs): Promise<readonly string[]> {
  try {
    return await withPatroni(targetOf(inputs), async (rest) => {
      const live = await readConfiguration(rest);
      const desired = JSON.parse(inputs.configuration) as JsonObject;
      const patch = live === undefined ? undefined : planPatch(live, desired, {});
      const status = await readStatus(rest);
      const waiting = status.members.filter((member) => member.pendingRestart !== undefined);
      return [
        ...(patch === undefined ? [] : describePatch(patch)),
        ...waiting.map((member) => `${member.name} has a pending restart`),
      ];
    });
  } catch {
    return [];
  }
}

export const patroniConfigurationProvider: dynamic.ResourceProvider<
  PatroniConfigurationInputs,
  PatroniConfigurationInputs
> = {
  async check(olds, news) {
    const failures: { property: string; reason: string }[] = [];
    if (!isUnknown(news.configuration)) {
      try {
        const parsed: unknown = JSON.parse(news.configuration);
        if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
          throw new Error(
            `got ${Array.isArray(parsed) ? "an array" : parsed === null ? "null" : `a ${typeof parsed}`}`,
          );
      } catch (error) {
        failures.push({
          property: "configuration",
          reason: `must be a JSON object: ${(error as Error).message}`,
        });
      }
    }
    if (failures.length === 0 && !isUnknown(news.configuration)) {
      const reason = await judgedBeforehand(olds, news);
      if (reason !== undefined) failures.push({ property: "configuration", reason });
    }
    return { inputs: news, failures };
  },

  async diff(_id, olds, news) {
    const names = ["rest", "password", "configuration", "group", "providerVersion"];
    if (changedInputs(olds, news, names).changed.length > 0) return { changes: true, replaces: [] };
    const drift = await liveDrift(news);
    for (const line of drift) printProgress(`Patroni's configuration differs from the declaration: ${line}`);
    return { changes: drift.length > 0, replaces: [] };
  },

  async create(inputs) {
    return { id: "configuration", outs: await apply(inputs, undefined) };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    // Nothing to record if the cluster cannot be reached: `diff` reads it again anyway.
    const { props: seen } = await orDrift(id, recorded, async () => {
      const live = await withPatroni(targetOf(recorded), (rest) => readConfiguration(rest));
      return { props: live === undefined ? undefined : recorded };
    });
    // The DCS answers but has no configuration, so it is a new one.
    return seen === undefined ? {} : { id, props: recorded };
  },

  async update(_id, olds, news) {
    return { outs: await apply(news, olds) };
  },

  delete() {
    printProgress("Patroni's dynamic configuration is kept in the DCS");
    return Promise.resolve();
  },
};
