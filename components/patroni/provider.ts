import type { dynamic } from "@pulumi/pulumi";
import { changedInputs } from "../dynamic/changed-inputs";
import { recordedState } from "../dynamic/recorded-state";
import { orUnseen } from "../dynamic/unseen";
import { isUnknown } from "../dynamic/unknown-value";
import { applyConfiguration, readConfiguration } from "./apply";
import type { JsonObject } from "./plan";
import { describePatch, planPatch } from "./plan";
import type { RestTarget } from "./rest";
import { withPatroni } from "./rest";
import { readStatus } from "./status";
import { tell } from "../dynamic/tell";

/** Raise it when the provider does something else for the same inputs: the next `up` then runs `update` once, which is idempotent. */
export const PATRONI_CONFIGURATION_PROVIDER_VERSION = 1;

export interface PatroniConfigurationInputs {
  readonly rest: Omit<RestTarget, "password">;
  /** The password of the REST API's user. */
  readonly password: string;
  /** The dynamic configuration as JSON. */
  readonly configuration: string;
  readonly deadlineSeconds: number;
  readonly restartSeconds: number;
  readonly providerVersion: number;
}

function targetOf(inputs: PatroniConfigurationInputs): RestTarget {
  return { ...inputs.rest, password: inputs.password };
}

async function apply(
  inputs: PatroniConfigurationInputs,
  before: string,
): Promise<PatroniConfigurationInputs> {
  const desired = JSON.parse(inputs.configuration) as JsonObject;
  await withPatroni(targetOf(inputs), (rest) =>
    applyConfiguration(rest, desired, JSON.parse(before) as JsonObject, inputs),
  );
  return inputs;
}

/** What in the running cluster is not as declared; empty when it cannot be asked, since a preview must not fail for that. */
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
        ...waiting.map((member) => `${member.name} waits for a restart`),
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
  check(_olds, news) {
    const failures: { property: string; reason: string }[] = [];
    if (!isUnknown(news.configuration)) {
      try {
        const parsed: unknown = JSON.parse(news.configuration);
        if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
          throw new Error("it is no object");
      } catch (error) {
        failures.push({
          property: "configuration",
          reason: `must be a JSON object: ${(error as Error).message}`,
        });
      }
    }
    return Promise.resolve({ inputs: news, failures });
  },

  async diff(_id, olds, news) {
    const names = ["rest", "password", "configuration", "providerVersion"];
    if (changedInputs(olds, news, names).changed.length > 0) return { changes: true, replaces: [] };
    const drift = await liveDrift(news);
    for (const line of drift) tell(`Patroni's configuration is not as declared: ${line}`);
    return { changes: drift.length > 0, replaces: [] };
  },

  async create(inputs) {
    return { id: "configuration", outs: await apply(inputs, "{}") };
  },

  async read(id, props) {
    const recorded = recordedState(props);
    // Nothing to record where it cannot be looked at: `diff` looks again by itself.
    const { props: seen } = await orUnseen(id, recorded, async () => {
      const live = await withPatroni(targetOf(recorded), (rest) => readConfiguration(rest));
      return { props: live === undefined ? undefined : recorded };
    });
    // The DCS answers and holds none: it is a new one.
    return seen === undefined ? {} : { id, props: recorded };
  },

  async update(_id, olds, news) {
    return { outs: await apply(news, olds.configuration) };
  },

  delete() {
    tell("Patroni keeps its dynamic configuration; it goes with the DCS");
    return Promise.resolve();
  },
};
