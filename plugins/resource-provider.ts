// Serves a provider of ours to the Pulumi CLI: the protocol's messages on one side, plain values on the other.

import * as grpc from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import type { Properties } from "./properties";
import { type Checked, InitFailed, type Provider, type ResourceRef } from "./provider";
import { structOf, valuesOf } from "./wire";
import { answer, info, listen, nothing, type StatusError } from "./server";

/** `settings` are those of the provider itself. */
type Configured = (type: string, settings: Properties) => Provider;

export function serve(version: string, providerOf: Configured): void {
  const engine = new EngineClient(process.argv[2] ?? "", grpc.credentials.createInsecure());
  let settings: Properties = {};
  const of = (request: { getUrn(): string }): ResourceRef & { provider: Provider } => {
    const { type, name } = partsOf(request.getUrn());
    return { urn: request.getUrn(), type, name, provider: providerOf(type, settings) };
  };
  const running = (request: { getUrn(): string; getTimeout?(): number }) => ({
    ...of(request),
    status: (message: string): void => tell(engine, request.getUrn(), message),
    timeoutSeconds: request.getTimeout?.() || undefined,
  });
  const withId = (request: { getUrn(): string; getId(): string; getTimeout?(): number }) => ({
    ...running(request),
    id: request.getId(),
  });

  listen(ResourceProviderService, {
    getPluginInfo: answer(() => info(version)),
    checkConfig: answer((request: proto.CheckRequest) =>
      checkResponse({ inputs: valuesOf(request.getNews()), failures: [] }),
    ),
    diffConfig: answer(() => new proto.DiffResponse()),
    configure: answer((request: proto.ConfigureRequest) => {
      settings = valuesOf(request.getArgs());
      const response = new proto.ConfigureResponse();
      response.setSupportspreview(true);
      return response;
    }),
    check: answer(async (request: proto.CheckRequest) => {
      const resource = of(request);
      const olds = request.getOlds();
      const { provider } = resource;
      return checkResponse(
        await provider.check(resource, valuesOf(request.getNews()), olds && valuesOf(olds)),
      );
    }),
    diff: answer(async (request: proto.DiffRequest) => {
      const resource = withId(request);
      const olds = { inputs: valuesOf(request.getOldInputs()), outputs: valuesOf(request.getOlds()) };
      const diff = await resource.provider.diff(resource, olds, valuesOf(request.getNews()));
      const response = new proto.DiffResponse();
      const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
      response.setChanges(diff.changedKeys.length > 0 ? DIFF_SOME : DIFF_NONE);
      response.setDiffsList([...diff.changedKeys]);
      response.setReplacesList([...diff.replaceKeys]);
      response.setDeletebeforereplace(diff.deleteBeforeReplace === true);
      return response;
    }),
    create: answer(async (request: proto.CreateRequest) => {
      const resource = running(request);
      const { provider } = resource;
      const inputs = valuesOf(request.getProperties());
      const response = new proto.CreateResponse();
      if (request.getPreview()) {
        response.setProperties(structOf(provider.preview?.(inputs) ?? inputs));
        return response;
      }
      const { id, outputs } = await initialised(() => provider.create(resource, inputs));
      response.setId(id);
      response.setProperties(structOf(outputs));
      return response;
    }),
    read: answer(async (request: proto.ReadRequest) => {
      const resource = withId(request);
      const { provider } = resource;
      const [inputs, outputs] = [valuesOf(request.getInputs()), valuesOf(request.getProperties())];
      // What the state does not know has neither.
      const isImport = Object.keys(inputs).length === 0 && Object.keys(outputs).length === 0;
      const { inputsOf } = provider;
      if (isImport && inputsOf === undefined)
        throw new Error(`resources of the type ${resource.type} cannot be imported`);
      const found = await provider.read(resource, inputs, outputs);
      const response = new proto.ReadResponse();
      if (found === undefined) return response;
      response.setId(found.id);
      response.setProperties(structOf(found.outputs));
      response.setInputs(structOf(isImport && inputsOf ? inputsOf(found.outputs) : (found.inputs ?? inputs)));
      return response;
    }),
    update: answer(async (request: proto.UpdateRequest) => {
      const resource = withId(request);
      const { provider } = resource;
      const [olds, news] = [valuesOf(request.getOlds()), valuesOf(request.getNews())];
      const response = new proto.UpdateResponse();
      const outputs = request.getPreview()
        ? (provider.preview?.(news, olds) ?? news)
        : await initialised(() => provider.update(resource, olds, news));
      response.setProperties(structOf(outputs));
      return response;
    }),
    delete: answer(async (request: proto.DeleteRequest) => {
      const resource = withId(request);
      const inputs = valuesOf(request.getOldInputs());
      await resource.provider.delete(resource, inputs, valuesOf(request.getProperties()));
      return nothing();
    }),
    cancel: answer(nothing),
  });
}

/** urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME; https://www.pulumi.com/docs/iac/concepts/resources/names/#urns */
function partsOf(urn: string): { type: string; name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.slice(types.lastIndexOf("$") + 1), name: name.join("::") };
}

/** A line of progress beside the resource, gone with the next one. */
function tell(engine: EngineClient, urn: string, message: string): void {
  const log = new LogRequest();
  log.setSeverity(LogSeverity.INFO);
  log.setUrn(urn);
  log.setMessage(message);
  log.setEphemeral(true);
  // A progress line that is lost harms nobody.
  engine.log(log, () => undefined);
}

function checkResponse({ inputs, failures }: Checked): proto.CheckResponse {
  const response = new proto.CheckResponse();
  response.setInputs(structOf(inputs));
  response.setFailuresList(
    failures.map(({ property, reason }) => {
      const failure = new proto.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}

/** A resource that exists and is not what it should be travels in the details of the error, so that the state keeps it. */
async function initialised<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InitFailed)) throw error;
    const failed = new proto.ErrorResourceInitFailed();
    failed.setId(error.id);
    failed.setProperties(structOf(error.outputs));
    failed.setReasonsList([...error.reasons]);
    const detail = new Any();
    detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new Status();
    status.setCode(grpc.status.UNKNOWN);
    status.setMessage(error.message);
    status.addDetails(detail);
    const metadata = new grpc.Metadata();
    metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
    const statusError: StatusError = Object.assign(error, { code: grpc.status.UNKNOWN, metadata });
    throw statusError;
  }
}
