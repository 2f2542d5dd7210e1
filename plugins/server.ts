// What every plugin of the Pulumi CLI does: it listens on a port of its own, prints it, answers, and ends with the CLI.

import * as grpc from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { GRPC_OPTIONS } from "./wire";
// The CLI holds the other end of the standard input.
import "./end-with-parent.js";

/** An error that brings what gRPC sends beside its message. */
export type StatusError = Error & Partial<Pick<grpc.StatusObject, "code" | "metadata">>;

export const nothing = (): Empty => new Empty();

export function info(version: string): PluginInfo {
  const found = new PluginInfo();
  found.setVersion(version);
  return found;
}

/** A method that returns, resolves or throws, as gRPC wants it. */
export const answer =
  <Request, Response>(
    handle: (request: Request) => Response | Promise<Response>,
  ): grpc.handleUnaryCall<Request, Response> =>
  (call, callback) => {
    void (async () => handle(call.request))().then(
      (response) => callback(null, response),
      (error: unknown) => {
        const { code, message, metadata } = error as StatusError;
        // Errors of Node.js have codes, too: words such as ENOENT.
        const isStatus = typeof code === "number";
        callback({
          ...{ code: isStatus ? code : grpc.status.UNKNOWN, details: message },
          ...(metadata && { metadata }),
        });
      },
    );
  };

type Handlers = Readonly<Record<string, unknown>>;

/** Serves what the CLI may ask of `service`. A method that has no handler is answered with UNIMPLEMENTED, which the CLI understands. */
export function listen(service: object, handlers: Handlers): void {
  const server = new grpc.Server(GRPC_OPTIONS);
  server.addService(
    service as grpc.ServiceDefinition,
    handlers as unknown as grpc.UntypedServiceImplementation,
  );
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  });
}
