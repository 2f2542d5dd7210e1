import type { ExposedPort } from "../components/platforms/docker/host-ports";
import type { Platform } from "../components/platforms/platform";
import type { Problem } from "../components/settings/problems";
import type { CitusChoice } from "./citus";
import type { StackSettings } from "./settings";

/** What differs between environments. Everything else is in cluster.ts. */
export interface Environment {
  /** Defaults for settings that the stack does not set. */
  readonly defaults: Partial<StackSettings>;
  /** Whether the stack is distributed. Only looks at this machine and at the package repository. */
  citus(settings: StackSettings): Promise<CitusChoice>;
  platform(settings: StackSettings, citus: CitusChoice): Promise<Platform>;
  /** Problems that only this environment can find, before any resource exists. */
  problems(settings: StackSettings, declared: Declared): Promise<readonly Problem[]>;
}

/** Facts derived from the settings. */
export interface Declared {
  /** Ports on 127.0.0.1 that the stack uses. */
  readonly ports: readonly ExposedPort[];
  /** Numbers of the worker groups that this program runs. */
  readonly workerGroups: readonly number[];
}
