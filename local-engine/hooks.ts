// Resource hooks: functions of the program that run before and after steps, called in the program's own process.

import * as grpc from "@grpc/grpc-js";
import { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb";
import * as callbacks from "@pulumi/pulumi/proto/callback_pb";
import * as messages from "@pulumi/pulumi/proto/resource_pb";
import type { ResourceState } from "./state";
import { parseUrn } from "./urn";
import { GRPC_OPTIONS, structOf } from "./wire";

export type HookMoment =
  "before_create" | "after_create" | "before_update" | "after_update" | "before_delete" | "after_delete";

interface Hook {
  readonly target: string;
  readonly token: string;
  readonly onDryRun: boolean;
  readonly ignoreErrors: boolean;
}

export class Hooks {
  private readonly hooks = new Map<string, Hook>();

  constructor(
    private readonly dryRun: boolean,
    private readonly warn: (urn: string, message: string) => void,
  ) {}

  register(name: string, hook: Hook): void {
    if (this.hooks.has(name)) throw new Error(`a hook with the name ${name} is registered already`);
    this.hooks.set(name, hook);
  }

  /** Runs what `bound` (the new state, or the old one for deletes) asks for at this moment. */
  async run(
    moment: HookMoment,
    bound: ResourceState,
    old: ResourceState | undefined,
    now: ResourceState | undefined,
  ): Promise<void> {
    for (const name of bound.resourceHooks?.[moment] ?? []) {
      const hook = this.hooks.get(name);
      if (hook === undefined) {
        // Without the program (destroy) there is nothing to call.
        this.warn(
          bound.urn,
          `the hook ${name} (${moment}) is not run: the program that holds it does not run`,
        );
        continue;
      }
      if (this.dryRun && !hook.onDryRun) continue;
      const error = await this.call(hook, bound, old, now);
      if (error === "") continue;
      const message = `the hook ${name} (${moment}) failed: ${error}`;
      if (!hook.ignoreErrors) throw new Error(message);
      this.warn(bound.urn, message);
    }
  }

  private async call(
    hook: Hook,
    bound: ResourceState,
    old: ResourceState | undefined,
    now: ResourceState | undefined,
  ): Promise<string> {
    const { name, type } = parseUrn(bound.urn);
    const request = new messages.ResourceHookRequest();
    request.setUrn(bound.urn);
    request.setId(now?.id ?? old?.id ?? "");
    request.setName(name);
    request.setType(type);
    if (now?.inputs !== undefined) request.setNewInputs(structOf(now.inputs));
    if (now?.outputs !== undefined) request.setNewOutputs(structOf(now.outputs));
    if (old?.inputs !== undefined) request.setOldInputs(structOf(old.inputs));
    if (old?.outputs !== undefined) request.setOldOutputs(structOf(old.outputs));
    const invoke = new callbacks.CallbackInvokeRequest();
    invoke.setToken(hook.token);
    invoke.setRequest(request.serializeBinary());
    const client = new CallbacksClient(hook.target, grpc.credentials.createInsecure(), GRPC_OPTIONS);
    try {
      const response = await new Promise<InstanceType<typeof callbacks.CallbackInvokeResponse>>(
        (resolve, reject) => {
          client.invoke(invoke, (error, answer) => (error === null ? resolve(answer) : reject(error)));
        },
      );
      return messages.ResourceHookResponse.deserializeBinary(response.getResponse_asU8()).getError();
    } catch (error) {
      return (error as grpc.ServiceError).details;
    } finally {
      client.close();
    }
  }
}
