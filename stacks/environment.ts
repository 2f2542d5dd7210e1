import type { Platform } from "../components/platform/platform";
import type { Problem } from "../components/problems";
import { dev } from "./dev";
import { prod } from "./prod";
import type { StackSettings } from "./settings";

/** What differs between environments; everything else is in cluster.ts, once. */
export interface Environment {
  /** Settings that apply where the stack's own say nothing. */
  readonly defaults: Partial<StackSettings>;
  platform(settings: StackSettings): Platform;
  /** What only this environment can find wrong, before anything exists. `exposed` are the ports of 127.0.0.1 that will be used. */
  problems(settings: StackSettings, exposed: readonly ExposedPort[]): Promise<readonly Problem[]>;
}

export interface ExposedPort {
  readonly setting: string;
  readonly port: number;
}

export const environmentOf = (settings: StackSettings): Environment => ({ dev, prod })[settings.environment];
