import type { ExposedPort } from "../components/platforms/docker/host-ports";
import type { Platform } from "../components/platforms/platform";
import type { Problem } from "../components/settings/problems";
import type { CitusChoice } from "./citus";
import type { StackSettings } from "./settings";

/** What differs between environments; everything else is in cluster.ts, once. */
export interface Environment {
  /** Settings that apply where the stack's own say nothing. */
  readonly defaults: Partial<StackSettings>;
  /** Whether the stack is distributed. Asks nothing but what is on this machine and where packages come from. */
  citus(settings: StackSettings): Promise<CitusChoice>;
  platform(settings: StackSettings, citus: CitusChoice): Promise<Platform>;
  /** What only this environment can find wrong, before anything exists. */
  problems(settings: StackSettings, declared: Declared): Promise<readonly Problem[]>;
}

/** What settings come to. */
export interface Declared {
  /** Ports of 127.0.0.1 that will be used. */
  readonly ports: readonly ExposedPort[];
  /** Numbers of the worker groups that this program runs. */
  readonly workerGroups: readonly number[];
}
