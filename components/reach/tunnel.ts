/** A local listener for a `Reach`. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { dockerEngine } from "./docker/engine";
import { kubernetesClient } from "./kubernetes/client";
import type { Reach } from "./reach";
import { messageOf } from "../dynamic/reason";

/** Where to connect to. Every connection is carried to the port; closing ends those that are open. */
export interface Tunnel {
  readonly host: string;
  readonly port: number;
  /** The last thing that went wrong on the way, such as a refused connection: the client sees only that it was cut off. */
  lastProblem(): string | undefined;
  close(): Promise<void>;
}

/** Carries one client; resolves when both ways are finished, rejects with what went wrong. */
type Carry = (client: Socket) => Promise<void>;

/**
 * Makes a port inside the cluster reachable on this machine. Fails when its member does not run.
 *
 * @param direct The server admits who comes from outside its member: where the member's own address is reached from here, as with a Docker
 * engine on this machine, no relay is needed, which takes a tenth of a second of processor time for each connection. Default false.
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
      // Not before it has got what was sent to it last.
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

/** The address of a running container in its network; empty when it has none of its own. */
async function containerAddress(name: string): Promise<string> {
  const { State, NetworkSettings } = await dockerEngine().getContainer(name).inspect();
  if (!State.Running) throw new Error(`container ${name} is not running (${State.Status})`);
  return Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? "";
}

/** A quarter of a second is long on one machine; where the engine is elsewhere nobody answers, or nobody who has the certificate. */
function answersAt(host: string, port: number): Promise<boolean> {
  const { connect } = require("node:net") as typeof import("node:net");
  // An engine on another machine has addresses that mean something else here.
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

/** Executes a relay in the container for each connection, so that no port needs to be published. */
function dockerCarrier(name: string, port: number): Carry {
  const container = dockerEngine().getContainer(name);
  return async (client) => {
    const exec = await container.exec({
      // After one side has finished, the other one has this long to say the rest; socat's default is half a second.
      Cmd: ["socat", "-t", "30", "-", `TCP:127.0.0.1:${port},nodelay`],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    const complaint = await carryFrames(client, stream);
    // socat's lines begin with the time and its process id; the last one is the error. The same problem must read the same again.
    const said = complaint
      .split("\n")
      .at(-1)
      ?.replace(/^.* socat\[\d+\] [A-Z] /, "");
    if (said) throw new Error(`relay in ${name} to port ${port}: ${said}`);
  };
}

/** Joins a client with the stream of an execution: raw towards it, frames from it. Resolves, with what came as errors, when the execution has ended. */
function carryFrames(client: Socket, stream: Duplex): Promise<string> {
  const { Writable } = require("node:stream") as typeof import("node:stream");
  return new Promise((resolve, reject) => {
    let complaint = "";
    const toClient = new Writable({
      // A client that reads slowly slows the container down instead of filling this process's memory.
      write(payload: Buffer, _encoding, done) {
        if (!client.write(payload)) {
          stream.pause();
          client.once("drain", () => stream.resume());
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
    dockerEngine().modem.demuxStream(stream, toClient, toComplaint);
    stream.on("error", reject);
    stream.on("close", () => resolve(complaint.trim()));
    client.on("close", () => stream.destroy());
    client.pipe(stream);
  });
}

/** One port-forward through the API server for each connection. */
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
