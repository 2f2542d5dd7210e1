import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../../dynamic/changed-inputs";
import { printProgress } from "../../dynamic/progress";
import { patchConfiguration, readConfiguration } from "./apply";
import { judge } from "./judge";
import {
  ailing,
  describeRefusals,
  type JudgedGroup,
  leavingLibraries,
  onlyLibraryLists,
  parametersOf,
  questionOf,
  undeclared,
  withoutNewLibraries,
} from "./judge-plan";
import type { JsonObject } from "./plan";
import { planPatch } from "./plan";
import { type PatroniRest, type RestTarget, withPatroni, withPatroniByAny } from "./rest";
import { readStatus } from "./status";
import { messageOf } from "../../dynamic/reason";

/** Increase this when the provider does something different with the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const PATRONI_BEFOREHAND_PROVIDER_VERSION = 1;

export interface PatroniBeforehandInputs {
  readonly rest: Omit<RestTarget, "password">;
  /** The password of the REST API's user. */
  readonly password: string;
  /** The dynamic configuration as JSON. */
  readonly configuration: string;
  readonly group: Omit<JudgedGroup, "image">;
  readonly deadlineSeconds: number;
  readonly providerVersion: number;
}

const targetOf = (inputs: PatroniBeforehandInputs): RestTarget => ({
  ...inputs.rest,
  password: inputs.password,
});

/** Why the configuration must be written before members are waited for: an unhealthy member, or libraries that are removed. */
async function urgencyOf(
  rest: PatroniRest,
  live: JsonObject,
  desired: JsonObject,
  before: JsonObject,
): Promise<{
  readonly unwell: string | undefined;
  readonly leader?: string;
  readonly leaving: readonly string[];
}> {
  const leaving = leavingLibraries(live, desired, before);
  try {
    const status = await readStatus(rest);
    return { unwell: ailing(status), leader: status.leader, leaving };
  } catch (error) {
    return { unwell: messageOf(error), leaving };
  }
}

/**
 * Undeclared parameters that the server rejects, such as a killed run leaves behind. Only checked if a member is unhealthy: other undeclared
 * parameters belong to whoever set them.
 */
async function refusedStrays(
  inputs: PatroniBeforehandInputs,
  live: JsonObject,
  desired: JsonObject,
  leader: string | undefined,
): Promise<readonly string[]> {
  const strays = undeclared(live, desired);
  if (strays.length === 0) return [];
  const question = { ...questionOf(live, live, inputs.group), extensions: [] };
  const judgement = await judge(inputs.rest.members, leader, question);
  if (judgement.by === undefined) return [];
  const refused = judgement.refusals.filter(({ about }) => strays.includes(about));
  for (const { about, said } of refused)
    printProgress(`Patroni: ${about} is not declared, and PostgreSQL rejects it: ${said}`);
  return refused.map(({ about }) => about);
}

async function mend(
  inputs: PatroniBeforehandInputs,
  olds: Pick<PatroniBeforehandInputs, "configuration" | "password"> | undefined,
): Promise<void> {
  const declared = JSON.parse(inputs.configuration) as JsonObject;
  const before = JSON.parse(olds?.configuration ?? "{}") as JsonObject;
  const former = olds === undefined ? [] : [olds.password];
  await withPatroniByAny(targetOf(inputs), former, inputs.deadlineSeconds, async (rest) => {
    // A new cluster has no members to ask yet. If all members are down, they start with what the DCS has, and the next run continues.
    const live = await readConfiguration(rest).catch(() => undefined);
    if (live === undefined) return;
    const { unwell, leader, leaving } = await urgencyOf(rest, live, declared, before);
    if (unwell === undefined && leaving.length === 0) return;
    const reduced = withoutNewLibraries(live, declared);
    const desired = unwell === undefined ? onlyLibraryLists(reduced, before) : reduced;
    const strays = unwell === undefined ? [] : await refusedStrays(inputs, live, declared, leader);
    const known = {
      ...before,
      postgresql: {
        ...(before["postgresql"] as JsonObject | undefined),
        parameters: {
          ...parametersOf(before),
          ...Object.fromEntries(strays.map((name) => [name, parametersOf(live)[name] ?? ""])),
        },
      },
    };
    const removing = unwell === undefined ? {} : known;
    if (planPatch(live, desired, removing) === undefined) return;
    const question = { ...questionOf(reduced, live, inputs.group), extensions: [] };
    const judgement = await judge(inputs.rest.members, leader, question);
    // If a member is unhealthy, the fix is written even if it cannot be validated. A healthy group loses no library without validation.
    if (judgement.by === undefined && unwell === undefined && !judgement.older)
      throw new Error(
        `cannot check whether ${leaving.join(", ")} can be removed; nothing was changed: ${judgement.why}`,
      );
    if (judgement.by === undefined)
      printProgress(`cannot check the configuration beforehand: ${judgement.why}`);
    else if (judgement.refusals.length > 0)
      throw new Error(describeRefusals(judgement.refusals, question, inputs.group.section));
    printProgress(
      unwell === undefined
        ? `Patroni: removing ${leaving.join(", ")} before the image that no longer contains it`
        : `Patroni: writing the configuration before waiting for members, because ${unwell}`,
    );
    await patchConfiguration(rest, desired, removing, inputs);
  });
}

const INPUTS = ["rest", "password", "configuration", "group", "providerVersion"];

/**
 * Whether the configuration in the DCS differs from the declared one, or has undeclared parameters while a member is unhealthy. False if it
 * cannot be read, because a preview must not fail for that.
 */
async function differs(inputs: PatroniBeforehandInputs): Promise<boolean> {
  try {
    return await withPatroni(targetOf(inputs), async (rest) => {
      const live = await readConfiguration(rest);
      const desired = JSON.parse(inputs.configuration) as JsonObject;
      if (live === undefined) return false;
      if (planPatch(live, desired, {}) !== undefined) return true;
      return undeclared(live, desired).length > 0 && ailing(await readStatus(rest)) !== undefined;
    });
  } catch {
    return false;
  }
}

export const patroniBeforehandProvider: dynamic.ResourceProvider<
  PatroniBeforehandInputs,
  PatroniBeforehandInputs
> = {
  async diff(_id, olds, news) {
    if (changedInputs(olds, news, INPUTS).changed.length > 0) return { changes: true, replaces: [] };
    return { changes: await differs(news), replaces: [] };
  },

  async create(inputs) {
    await mend(inputs, undefined);
    return { id: "beforehand", outs: inputs };
  },

  async update(_id, olds, news) {
    await mend(news, olds);
    return { outs: news };
  },
};
