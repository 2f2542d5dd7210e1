// Asks a resource plugin what the CLI would ask it, ours or the vendor's.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Any } from "google-protobuf/google/protobuf/any_pb";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { environment } from "../../../commands/programs";
import type { Properties } from "../../properties";
import { GRPC_OPTIONS, structOf, valuesOf } from "../../wire";

/** What a plugin answered: properties, or that it failed. */
export interface Created {
  readonly id: string;
  readonly outputs: Properties;
  /** Of one that exists and is not what it should be. */
  readonly failed?: readonly string[];
}

export interface Diffed {
  readonly changes: "none" | "some";
  readonly diffs: readonly string[];
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

type Method = (
  request: unknown,
  callback: (error: grpc.ServiceError | null, response: unknown) => void,
) => unknown;

export class Plugin {
  private constructor(
    private readonly process: ChildProcess,
    private readonly engine: grpc.Server,
    private readonly client: ResourceProviderClient,
  ) {}

  /** Starts the program, with an engine that listens to what it logs. */
  static async start(program: string): Promise<Plugin> {
    const engine = new grpc.Server();
    engine.addService(EngineService, {
      log: (_: unknown, callback: (error: null, response: Empty) => void) => callback(null, new Empty()),
    });
    const port = await new Promise<number>((resolve, reject) =>
      engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    const child = spawn(program, [`127.0.0.1:${port}`], {
      stdio: ["pipe", "pipe", "inherit"],
      env: environment(),
    });
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    const client = new ResourceProviderClient(
      `127.0.0.1:${said.toString().trim()}`,
      grpc.credentials.createInsecure(),
      GRPC_OPTIONS,
    );
    const plugin = new Plugin(child, engine, client);
    const request = new proto.ConfigureRequest();
    request.setArgs(structOf({}));
    await plugin.ask("configure", request);
    return plugin;
  }

  async stop(): Promise<void> {
    const ended = once(this.process, "exit");
    this.client.close();
    this.process.kill("SIGKILL");
    await ended;
    this.engine.forceShutdown();
  }

  private ask<Response>(method: string, request: unknown): Promise<Response> {
    const call = (this.client as unknown as Record<string, Method>)[method];
    return new Promise((resolve, reject) => {
      call?.call(this.client, request, (error, response) =>
        error ? reject(error) : resolve(response as Response),
      );
    });
  }

  async check(urn: string, news: Properties, olds?: Properties): Promise<Properties> {
    const request = new proto.CheckRequest();
    request.setUrn(urn);
    request.setNews(structOf(news));
    if (olds !== undefined) request.setOlds(structOf(olds));
    const response = await this.ask<proto.CheckResponse>("check", request);
    const failures = response.getFailuresList();
    return failures.length === 0
      ? valuesOf(response.getInputs())
      : { failures: failures.map((each) => each.getProperty()) };
  }

  async create(urn: string, inputs: Properties): Promise<Created> {
    const request = new proto.CreateRequest();
    request.setUrn(urn);
    request.setProperties(structOf(inputs));
    return this.made(() => this.ask<proto.CreateResponse>("create", request));
  }

  async diff(urn: string, { id, outputs }: Created, olds: Properties, news: Properties): Promise<Diffed> {
    const request = new proto.DiffRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setOlds(structOf(outputs));
    request.setOldInputs(structOf(olds));
    request.setNews(structOf(news));
    const response = await this.ask<proto.DiffResponse>("diff", request);
    return {
      changes: response.getChanges() === proto.DiffResponse.DiffChanges.DIFF_SOME ? "some" : "none",
      diffs: [...new Set(response.getDiffsList())].sort(),
      replaces: [...new Set(response.getReplacesList())].sort(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  async read(
    urn: string,
    { id, outputs }: Created,
    inputs: Properties,
  ): Promise<{ id: string; inputs: Properties; outputs: Properties }> {
    const request = new proto.ReadRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setProperties(structOf(outputs));
    request.setInputs(structOf(inputs));
    const response = await this.ask<proto.ReadResponse>("read", request);
    return {
      id: response.getId(),
      inputs: valuesOf(response.getInputs()),
      outputs: valuesOf(response.getProperties()),
    };
  }

  async update(urn: string, { id, outputs }: Created, olds: Properties, news: Properties): Promise<Created> {
    const request = new proto.UpdateRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setOlds(structOf(outputs));
    request.setOldInputs(structOf(olds));
    request.setNews(structOf(news));
    const response = await this.ask<proto.UpdateResponse>("update", request);
    return { id, outputs: valuesOf(response.getProperties()) };
  }

  async delete(urn: string, { id, outputs }: Created, inputs: Properties): Promise<void> {
    const request = new proto.DeleteRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setProperties(structOf(outputs));
    request.setOldInputs(structOf(inputs));
    await this.ask("delete", request);
  }

  /** A resource that was made, also where it is not what it should be. Fails where there is none. */
  private async made(create: () => Promise<proto.CreateResponse>): Promise<Created> {
    try {
      const response = await create();
      return { id: response.getId(), outputs: valuesOf(response.getProperties()) };
    } catch (error) {
      const failure = initFailure(error as grpc.ServiceError);
      if (failure === undefined) throw error;
      return {
        id: failure.getId(),
        outputs: valuesOf(failure.getProperties()),
        failed: failure.getReasonsList(),
      };
    }
  }
}

function initFailure({ metadata }: grpc.ServiceError): proto.ErrorResourceInitFailed | undefined {
  const [details] = metadata.get("grpc-status-details-bin");
  if (!(details instanceof Buffer)) return undefined;
  const status = Status.deserializeBinary(details) as unknown as { getDetailsList(): Any[] };
  const [detail] = status.getDetailsList();
  return detail === undefined
    ? undefined
    : proto.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
}
