// The two services that a running program talks to: the resource monitor (register, read, hooks) and the engine
// (log, root resource). Only translation happens here.

import * as grpc from "@grpc/grpc-js";
import * as engineServices from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as engineProto from "@pulumi/pulumi/proto/engine_pb";
import * as services from "@pulumi/pulumi/proto/resource_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Deployment } from "./deployment";
import type { Goal } from "./goal";
import type { Severity } from "./display";
import { Fault, messageOf } from "./fault";
import { Cancelled } from "./limiter";
import type { AliasSpec } from "./plan";
import type { Session } from "./session";
import { StepFailed } from "./steps";
import { makeUrn } from "./urn";
import { GRPC_OPTIONS, structOf, valuesOf } from "./wire";

type RegisterRequest = InstanceType<typeof proto.RegisterResourceRequest>;
type ReadRequest = InstanceType<typeof proto.ReadResourceRequest>;

/** The protocol's text for a length of time, `1h30m`, in seconds. */
export function seconds(duration: string): number | undefined {
  if (duration === "") return undefined;
  const units: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)(ms|s|m|h)/g))
    total += Number(amount) * (units[unit ?? ""] ?? 0);
  return total;
}

function timeoutsOf(request: RegisterRequest): Record<string, number> {
  const given = request.getCustomtimeouts()?.toObject() ?? {};
  const entries = (["create", "update", "delete", "read"] as const).map(
    (verb) => [verb, seconds((given as Record<string, string>)[verb] ?? "")] as const,
  );
  return Object.fromEntries(
    entries.filter((entry): entry is readonly ["create", number] => entry[1] !== undefined),
  );
}

function aliasesOf(request: RegisterRequest): AliasSpec[] {
  const specs = request.getAliasesList().map((alias): AliasSpec => {
    if (alias.hasUrn()) return { urn: alias.getUrn() };
    const spec = alias.getSpec();
    return {
      name: spec?.getName() || undefined,
      type: spec?.getType() || undefined,
      stack: spec?.getStack() || undefined,
      project: spec?.getProject() || undefined,
      parent: spec?.getParenturn() || undefined,
      noParent: spec?.getNoparent(),
    };
  });
  return [...specs, ...request.getAliasurnsList().map((urn) => ({ urn }))];
}

function hooksOf(request: RegisterRequest): Record<string, string[]> {
  const hooks = request.getHooks();
  if (hooks === undefined) return {};
  if (hooks.getOnErrorList().length > 0) throw new Fault("error hooks (onError) need the Pulumi CLI");
  const all = {
    before_create: hooks.getBeforeCreateList(),
    after_create: hooks.getAfterCreateList(),
    before_update: hooks.getBeforeUpdateList(),
    after_update: hooks.getAfterUpdateList(),
    before_delete: hooks.getBeforeDeleteList(),
    after_delete: hooks.getAfterDeleteList(),
  };
  return Object.fromEntries(Object.entries(all).filter(([, names]) => names.length > 0));
}

function goalOf(request: RegisterRequest): Goal {
  if (request.getRemote())
    throw new Fault(
      `${request.getType()} is a component of another language's package; that needs the Pulumi CLI`,
    );
  const propertyDependencies: Record<string, string[]> = {};
  request.getPropertydependenciesMap().forEach((each, key) => {
    propertyDependencies[key] = each.getUrnsList();
  });
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    parent: request.getParent(),
    inputs: valuesOf(request.getObject()),
    protect: request.getProtect() === true,
    dependencies: request.getDependenciesList(),
    propertyDependencies,
    provider: request.getProvider(),
    version: request.getVersion(),
    deleteBeforeReplace: request.getDeletebeforereplacedefined()
      ? request.getDeletebeforereplace()
      : undefined,
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: aliasesOf(request),
    customTimeouts: timeoutsOf(request),
    retainOnDelete: request.getRetainondelete() === true,
    deletedWith: request.getDeletedwith(),
    replaceWith: request.getReplaceWithList(),
    resourceHooks: hooksOf(request),
    importId: request.getImportid(),
  };
}

function readGoalOf(request: ReadRequest): Goal {
  return {
    type: request.getType(),
    name: request.getName(),
    custom: true,
    parent: request.getParent(),
    inputs: valuesOf(request.getProperties()),
    protect: false,
    dependencies: request.getDependenciesList(),
    propertyDependencies: {},
    provider: request.getProvider(),
    version: request.getVersion(),
    deleteBeforeReplace: undefined,
    ignoreChanges: [],
    replaceOnChanges: [],
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: [],
    customTimeouts: {},
    retainOnDelete: false,
    deletedWith: "",
    replaceWith: [],
    resourceHooks: {},
    importId: "",
  };
}

function asStatus(error: unknown): Partial<grpc.StatusObject> {
  // "Unavailable" tells the SDK that the engine is going away: it stops without further noise.
  const code = error instanceof Cancelled ? grpc.status.UNAVAILABLE : grpc.status.UNKNOWN;
  return { code, details: messageOf(error) };
}

/** Answers a call with what `work` returns. */
function answer<Request, Response>(work: (request: Request) => Promise<Response> | Response) {
  return (call: { request: Request }, done: grpc.sendUnaryData<Response>): void => {
    Promise.resolve()
      .then(() => work(call.request))
      .then(
        (response) => done(null, response),
        (error: unknown) => done(asStatus(error)),
      );
  };
}

export interface Monitor {
  readonly address: string;
  stop(): void;
}

export async function serve(
  session: Session,
  deployment: Deployment,
  onShutdown: () => Promise<void>,
): Promise<Monitor> {
  const features = proto.ResourceMonitorFeature;
  const supported: Record<string, proto.ResourceMonitorFeature> = {
    secrets: features.RESOURCE_MONITOR_FEATURE_SECRETS,
    resourceReferences: features.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    deletedWith: features.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    replaceWith: features.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    aliasSpecs: features.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resourceHooks: features.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
  };
  let root = "";

  const register = async (request: RegisterRequest) => {
    const response = new proto.RegisterResourceResponse();
    try {
      const state = await deployment.register(goalOf(request));
      response.setUrn(state.urn);
      response.setId(state.id ?? "");
      response.setObject(structOf(state.outputs ?? {}));
    } catch (error) {
      if (!(error instanceof StepFailed) && !(error instanceof Cancelled)) {
        session.display.diagnostic(
          "error",
          makeUrn(session.stack, session.project, request.getParent(), request.getType(), request.getName()),
          messageOf(error),
        );
      }
      if (error instanceof Cancelled || !request.getSupportsresultreporting()) throw error;
      // The program goes on with everything that does not need this resource.
      response.setUrn(
        makeUrn(session.stack, session.project, request.getParent(), request.getType(), request.getName()),
      );
      response.setResult(proto.Result.FAIL);
    }
    return response;
  };

  const server = new grpc.Server(GRPC_OPTIONS);
  server.addService(services.ResourceMonitorService, {
    getDeploymentInfo: answer(() => {
      const response = new proto.DeploymentInfo();
      response.setSupportedfeaturesList(Object.values(supported));
      return response;
    }),
    supportsFeature: answer((request: InstanceType<typeof proto.SupportsFeatureRequest>) => {
      const response = new proto.SupportsFeatureResponse();
      response.setHassupport(request.getId() in supported);
      return response;
    }),
    registerResource: answer(register),
    registerResourceOutputs: answer((request: InstanceType<typeof proto.RegisterResourceOutputsRequest>) => {
      deployment.registerOutputs(request.getUrn(), valuesOf(request.getOutputs()));
      return new Empty();
    }),
    readResource: answer(async (request: ReadRequest) => {
      const state = await deployment.read(readGoalOf(request), request.getId());
      const response = new proto.ReadResourceResponse();
      response.setUrn(state.urn);
      response.setProperties(structOf(state.outputs ?? {}));
      return response;
    }),
    registerResourceHook: answer((request: InstanceType<typeof proto.RegisterResourceHookRequest>) => {
      session.hooks.register(request.getName(), {
        target: request.getCallback()?.getTarget() ?? "",
        token: request.getCallback()?.getToken() ?? "",
        onDryRun: request.getOnDryRun(),
        ignoreErrors: request.getIgnoreErrors(),
      });
      return new Empty();
    }),
    invoke: answer((request: { getTok(): string }) => {
      throw new Fault(
        `the function ${request.getTok()} needs the Pulumi CLI: the local engine answers no provider functions`,
      );
    }),
    call: answer((request: { getTok(): string }) => {
      throw new Fault(
        `the method ${request.getTok()} needs the Pulumi CLI: the local engine answers no provider functions`,
      );
    }),
    // The program has said all; it stays to answer hooks while what it no longer wants is deleted.
    signalAndWaitForShutdown: answer(async () => {
      await onShutdown();
      return new Empty();
    }),
  });

  server.addService(engineServices.EngineService, {
    log: answer((request: InstanceType<typeof engineProto.LogRequest>) => {
      const severities: Severity[] = ["debug", "info", "warning", "error"];
      const severity = severities[request.getSeverity()] ?? "info";
      // What the SDK says about values that a failed resource never got: the failure itself has been told.
      if (session.display.failed() && /resource \S+ \[\S+\] failed to register/.test(request.getMessage()))
        return new Empty();
      session.display.diagnostic(
        severity,
        request.getUrn() || root,
        request.getMessage(),
        request.getEphemeral(),
      );
      return new Empty();
    }),
    getRootResource: answer(() => {
      const response = new engineProto.GetRootResourceResponse();
      response.setUrn(root);
      return response;
    }),
    setRootResource: answer((request: InstanceType<typeof engineProto.SetRootResourceRequest>) => {
      root = request.getUrn();
      return new engineProto.SetRootResourceResponse();
    }),
    requirePulumiVersion: answer(() => new engineProto.RequirePulumiVersionResponse()),
  });

  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
