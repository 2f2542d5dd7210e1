// Dynamic resources: the SDK's own server runs the provider code that travels in each resource's `__provider`.

import type { ChildProcess } from "node:child_process";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Fault } from "../fault";
import { startNode } from "../node-process";
import { GRPC_OPTIONS, structOf, valuesOf } from "../wire";
import { InitFailed, type Provider } from "./provider";

type Method = "configure" | "check" | "diff" | "create" | "read" | "update" | "delete";

export interface DynamicSettings {
  readonly project: string;
  /** Where the program runs: the provider code resolves its packages from there. */
  readonly folder: string;
  readonly config: Readonly<Record<string, string>>;
  /** What the provider code prints. */
  readonly print: (line: string) => void;
}

/** The server starts once, on first use or ahead of it (`start`), and ends with `stop`. */
export class DynamicServer {
  private child: ChildProcess | undefined;
  private client: Promise<ResourceProviderClient> | undefined;

  constructor(private readonly settings: DynamicSettings) {}

  start(): Promise<ResourceProviderClient> {
    this.client ??= this.launch();
    return this.client;
  }

  stop(): void {
    this.child?.kill();
  }

  private async launch(): Promise<ResourceProviderClient> {
    const script = require.resolve("@pulumi/pulumi/cmd/dynamic-provider", {
      paths: [this.settings.folder, __dirname],
    });
    const { child, output, errors } = startNode([script, "127.0.0.1:0"], this.settings.folder, {
      PULUMI_NODEJS_PROJECT: this.settings.project,
      PULUMI_PROJECT: this.settings.project,
    });
    this.child = child;
    errors.on("line", this.settings.print);
    const port = await new Promise<string>((resolve, reject) => {
      // The first line is the port; what comes after is printed by provider code.
      output.once("line", (line) => {
        output.on("line", this.settings.print);
        resolve(line.trim());
      });
      child.once("error", reject);
      child.once("exit", (code) =>
        reject(new Fault(`the server for dynamic resources ended with code ${code}`)),
      );
    });
    const client = new ResourceProviderClient(
      `127.0.0.1:${port}`,
      grpc.credentials.createInsecure(),
      GRPC_OPTIONS,
    );
    const request = new proto.ConfigureRequest();
    request.setArgs(structOf({ ...this.settings.config }));
    await call(client, "configure", request);
    return client;
  }
}

/** One unary call as a promise. */
function call<Response>(client: ResourceProviderClient, method: Method, request: object): Promise<Response> {
  // The stubs' overloads cannot be told apart by a name.
  const stubs = client as unknown as Record<
    Method,
    (request: object, done: (error: grpc.ServiceError | null, response: Response) => void) => void
  >;
  return new Promise((resolve, reject) => {
    stubs[method](request, (error, response) =>
      error === null ? resolve(response) : reject(plainError(error)),
    );
  });
}

/** The provider's own words, or the resource that it left half-made. */
function plainError(error: grpc.ServiceError): Error {
  const [packed] = error.metadata.get("grpc-status-details-bin");
  if (packed !== undefined) {
    for (const detail of Status.deserializeBinary(packed as Buffer).getDetailsList()) {
      if (!detail.getTypeName().endsWith("pulumirpc.ErrorResourceInitFailed")) continue;
      const failed = proto.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
      return new InitFailed(
        error.details,
        failed.getId(),
        valuesOf(failed.getProperties()),
        failed.getReasonsList(),
      );
    }
  }
  return new Error(error.details);
}

export function dynamicProvider(server: DynamicServer): Provider {
  const ask = async <Response>(method: Method, request: object): Promise<Response> =>
    call(await server.start(), method, request);
  return {
    async check({ urn }, news, olds) {
      const request = new proto.CheckRequest();
      request.setUrn(urn);
      request.setOlds(structOf(olds ?? {}));
      request.setNews(structOf(news));
      const response = await ask<InstanceType<typeof proto.CheckResponse>>("check", request);
      const failures = response
        .getFailuresList()
        .map((each) => ({ property: each.getProperty(), reason: each.getReason() }));
      return { inputs: valuesOf(response.getInputs()), failures };
    },
    async diff({ urn, id }, olds, news, ignoreChanges) {
      const request = new proto.DiffRequest();
      request.setId(id);
      request.setUrn(urn);
      request.setOlds(structOf(olds.outputs));
      request.setOldInputs(structOf(olds.inputs));
      request.setNews(structOf(news));
      request.setIgnorechangesList([...ignoreChanges]);
      const response = await ask<InstanceType<typeof proto.DiffResponse>>("diff", request);
      const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
      const changes = response.getChanges();
      const replaceKeys = response.getReplacesList();
      return {
        // A provider that names keys to replace means a change, whatever else it says.
        changes:
          changes === DIFF_SOME || replaceKeys.length > 0 ? true : changes === DIFF_NONE ? false : undefined,
        replaceKeys,
        deleteBeforeReplace: response.getDeletebeforereplace(),
      };
    },
    async create({ urn }, inputs) {
      const request = new proto.CreateRequest();
      request.setUrn(urn);
      request.setProperties(structOf(inputs));
      const response = await ask<InstanceType<typeof proto.CreateResponse>>("create", request);
      return { id: response.getId(), outputs: valuesOf(response.getProperties()) };
    },
    async read({ urn, id }, inputs, outputs) {
      const request = new proto.ReadRequest();
      request.setId(id);
      request.setUrn(urn);
      request.setProperties(structOf(outputs));
      request.setInputs(structOf(inputs));
      const response = await ask<InstanceType<typeof proto.ReadResponse>>("read", request);
      if (response.getId() === "") return undefined;
      const read = response.getInputs();
      return {
        id: response.getId(),
        outputs: valuesOf(response.getProperties()),
        ...(read === undefined ? {} : { inputs: valuesOf(read) }),
      };
    },
    async update({ urn, id }, olds, news) {
      const request = new proto.UpdateRequest();
      request.setId(id);
      request.setUrn(urn);
      request.setOlds(structOf(olds));
      request.setNews(structOf(news));
      const response = await ask<InstanceType<typeof proto.UpdateResponse>>("update", request);
      return valuesOf(response.getProperties());
    },
    async delete({ urn, id }, inputs, outputs) {
      const request = new proto.DeleteRequest();
      request.setId(id);
      request.setUrn(urn);
      request.setProperties(structOf(outputs));
      request.setOldInputs(structOf(inputs));
      await ask("delete", request);
    },
  };
}
