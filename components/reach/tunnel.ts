/** A local listener for a `Reach`. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { dockerEngine } from "./docker/engine";
import { demultiplex } from "./docker/frames";
import { kubernetesClient } from "./kubernetes/client";
import type { Reach } from "./reach";
import { messageOf } from "../dynamic/reason";

/** The address to connect to. Every connection is forwarded to the port; `close` also ends open connections. */
export interface Tunnel {
  readonly host: string;
  readonly port: number;
  /** The last problem with forwarding, such as a refused connection: the client only sees that its connection was closed. */
  lastProblem(): string | undefined;
  close(): Promise<void>;
}

/** Forwards one client's connection. Resolves when both directions are finished. */
type Carry = (client: Socket) => Promise<void>;

/**
 * Makes a port inside the cluster reachable from this machine. Fails if its member does not run.
 *
 * @param direct The server also accepts connections from outside its member. If the member's address can be reached from here, as with a Docker
 * engine on this machine, no relay is used, which would take a tenth of a second of CPU time per connection. Default false.
 */
export async function openTunnel(reach: Reach, { direct = false } = {}): Promise<Tunnel> {
  switch (reach.via) {
    case "tcp":
      return straight(reach.host, reach.port);
    case "docker": {
      const address = await containerAddress(reach.container);
      if (direct && (await answersAt(address, reach.port))) return straight(address, reach.port);
      return listen(dockerCarrier(reach.container, reach.port));
    }
    case "kubernetes":
      if (reach.address !== undefined) return straight(reach.address, reach.port);
      return listen(kubernetesCarrier(reach.namespace, reach.pod, reach.port));
  }
}

const straight = (host: string, port: number): Tunnel => ({
  host,
  port,
  lastProblem: () => undefined,
  close: async () => {},
});

async function listen(carry: Carry): Promise<Tunnel> {
  const { createServer } = require("node:net") as typeof import("node:net");
  const clients = new Set<Socket>();
  let problem: string | undefined;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    client.on("error", () => client.destroy());
    carry(client).then(
      // Only after everything that was written has been sent.
      () => client.destroySoon(),
      (error: unknown) => {
        problem = messageOf(error);
        client.destroySoon();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { port: number };
  return {
    host: "127.0.0.1",
    port,
    lastProblem: () => problem,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.destroy();
      }),
  };
}

/** The address of a running container in its network; empty if it has none. */
async function containerAddress(name: string): Promise<string> {
  const { State, NetworkSettings } = await dockerEngine().getContainer(name).inspect();
  if (!State.Running) throw new Error(`container ${name} is not running (${State.Status})`);
  return Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? "";
}

/** Whether something accepts connections at an address. 250 ms is plenty on the same machine. A wrong server would fail TLS verification. */
function answersAt(host: string, port: number): Promise<boolean> {
  const { connect } = require("node:net") as typeof import("node:net");
  // With an engine on another machine, the container addresses are not valid here.
  const elsewhere = /^(tcp|ssh|https?):/.test(process.env["DOCKER_HOST"] ?? "");
  if (host === "" || elsewhere) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 250 });
    const end = (answers: boolean) => (): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.once("connect", end(true)).once("timeout", end(false)).once("error", end(false));
  });
}

/** Runs a relay in the container for each connection, so that no port needs to be published. */
function dockerCarrier(name: string, port: number): Carry {
  const container = dockerEngine().getContainer(name);
  return async (client) => {
    const exec = await container.exec({
      // After one side has closed, the other one has this long to send the rest; socat's default is 0.5 s.
      Cmd: ["socat", "-t", "30", "-", `TCP:127.0.0.1:${port},nodelay`],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    const complaint = await carryFrames(client, stream);
    // The last line is the error. Without the time and process id at its start, the same problem has the same text each time.
    const said = complaint
      .split("\n")
      .at(-1)
      ?.replace(/^.* socat\[\d+\] [A-Z] /, "");
    if (said) throw new Error(`relay in ${name} to port ${port}: ${said}`);
  };
}

/** Connects a client to the stream of an exec: raw input, framed output. Resolves with the standard error when the exec has ended. */
function carryFrames(client: Socket, stream: Duplex): Promise<string> {
  const { Writable } = require("node:stream") as typeof import("node:stream");
  return new Promise((resolve, reject) => {
    let complaint = "";
    const toClient = new Writable({
      // Backpressure: a slow client slows the container down instead of filling this process's memory.
      write(payload: Buffer, _encoding, done) {
        if (!client.write(payload)) {
          frames.pause();
          client.once("drain", () => frames.resume());
        }
        done();
      },
    });
    const toComplaint = new Writable({
      write(payload: Buffer, _encoding, done) {
        complaint += payload.toString("utf8");
        done();
      },
    });
    const frames = demultiplex(dockerEngine(), stream, toClient, toComplaint);
    stream.on("error", reject);
    // Of the frames: the stream may close while the client still has to read.
    frames.on("close", () => resolve(complaint.trim()));
    client.on("close", () => {
      stream.destroy();
      // What it has not read keeps the frames paused, even after the stream has ended.
      frames.destroy();
    });
    client.pipe(stream);
  });
}

/** Opens one port-forward through the API server per connection. */
function kubernetesCarrier(namespace: string, pod: string, port: number): Carry {
  const { PassThrough } = require("node:stream") as typeof import("node:stream");
  const { client: api, config } = kubernetesClient();
  const forward = new api.PortForward(config);
  return async (client) => {
    const errors = new PassThrough();
    let complaint = "";
    errors.on("data", (chunk: Buffer) => (complaint += chunk.toString("utf8")));
    const connection = await forward.portForward(namespace, pod, [port], client, errors, client);
    await new Promise<void>((resolve) => {
      connection.on("close", resolve);
      client.on("close", () => {
        connection.close();
        resolve();
      });
    });
    if (complaint !== "") throw new Error(`port-forward to ${namespace}/${pod}:${port}: ${complaint.trim()}`);
  };
}
