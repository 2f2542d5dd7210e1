import type { Reach } from "./reach";
import { openInTime, withTunnelProblem } from "./open-in-time";

/** An HTTPS server inside the cluster. */
export interface HttpsServer {
  readonly reach: Reach;
  /** The name that its certificate must contain. */
  readonly serverName: string;
  /** PEM of the authority that must have signed its certificate; no other is trusted. */
  readonly ca: string;
}

export interface HttpsRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE" | "OPTIONS";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 5 s. */
  readonly timeoutMs?: number;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly text: string;
  /** The parsed text, if it is JSON. */
  readonly json: unknown;
}

export type SendHttps = (request: HttpsRequest) => Promise<HttpsAnswer>;

/** An open connection path to a server. The caller closes it. */
export interface HttpsClient {
  readonly send: SendHttps;
  close(): Promise<void>;
}

/** Opens a connection path to a server. Every connection verifies the server's name and authority. */
export async function openHttps(server: HttpsServer): Promise<HttpsClient> {
  const https = require("node:https") as typeof import("node:https");
  const tls = require("node:tls") as typeof import("node:tls");
  const { isIP } = require("node:net") as typeof import("node:net");
  const opened = await openInTime(server.reach, 15_000, { direct: true });
  // A tunnel may need a process in the container for each connection, so requests share connections.
  const agent = new https.Agent({ keepAlive: true, maxSockets: 4 });
  const send: SendHttps = (request) =>
    new Promise((resolve, reject) => {
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const outgoing = https.request({
        agent,
        host: opened.host,
        port: opened.port,
        method: request.method,
        path: request.path,
        ca: server.ca,
        // SNI must not be an address (RFC 6066), so the name is verified here instead of the socket's host.
        servername: isIP(server.serverName) === 0 ? server.serverName : "",
        checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(server.serverName, certificate),
        headers: {
          ...request.headers,
          ...(body === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
        },
        timeout: request.timeoutMs ?? 5000,
      });
      outgoing.on("timeout", () =>
        outgoing.destroy(
          new Error(`${request.method} ${request.path}: no answer within ${request.timeoutMs ?? 5000} ms`),
        ),
      );
      outgoing.on("error", reject);
      outgoing.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          let json: unknown;
          try {
            json = JSON.parse(text);
          } catch {
            json = undefined;
          }
          resolve({ status: response.statusCode ?? 0, text, json });
        });
      });
      outgoing.end(body);
    });
  return {
    send: (request) =>
      send(request).catch((error: unknown) => {
        throw withTunnelProblem(error, opened);
      }),
    async close() {
      agent.destroy();
      await opened.close();
    },
  };
}

/** Opens a connection path to a server, lets `use` send requests, and always closes it. */
export async function withHttps<T>(server: HttpsServer, use: (send: SendHttps) => Promise<T>): Promise<T> {
  const client = await openHttps(server);
  try {
    return await use(client.send);
  } finally {
    await client.close();
  }
}
