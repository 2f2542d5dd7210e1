import { connect } from "node:net";
import { openTunnel } from "../../../components/reach/tunnel";
import { KubernetesApi } from "../../support/kubernetes-api";

test("a straight reach is the address itself", async () => {
  const opened = await openTunnel({ via: "tcp", host: "db.example.com", port: 5432 });
  expect(opened).toMatchObject({ host: "db.example.com", port: 5432 });
  await opened.close();
});

test("of a pod whose address is reached from here, too", async () => {
  const address = "pg-patroni-0.pg-patroni.postgres.svc.cluster.local";
  const pod = { namespace: "postgres", pod: "pg-patroni-0", port: 5432, address };
  expect(await openTunnel({ via: "kubernetes", ...pod })).toMatchObject({ host: address, port: 5432 });
});

describe("a port in a pod", () => {
  // An API server that speaks its port-forward protocol: binary messages of a channel's number and data; channel 0 is data, channel
  // 1 errors, and the first message of each holds the port. This one echoes in capitals.
  const kubernetes = new KubernetesApi();
  const asked: string[] = [];
  const { WebSocketServer } = require("ws") as {
    WebSocketServer: new (options: object) => {
      on(event: "connection", listener: (socket: FakeSocket, request: { url: string }) => void): void;
      close(): void;
    };
  };
  interface FakeSocket {
    send(data: Buffer): void;
    close(): void;
    on(event: "message", listener: (data: Buffer) => void): void;
  }
  const api = new WebSocketServer({
    server: kubernetes.server,
    handleProtocols: (offered: Set<string>) => [...offered].find((p) => p.startsWith("v4")),
  });
  beforeAll(async () => {
    api.on("connection", (socket, request) => {
      asked.push(request.url);
      const port = Buffer.from([0x38, 0x15]);
      socket.send(Buffer.concat([Buffer.from([0]), port]));
      socket.send(Buffer.concat([Buffer.from([1]), port]));
      if (request.url.includes("broken")) {
        socket.send(Buffer.from("\x01connection refused"));
        setTimeout(() => socket.close(), 50);
        return;
      }
      socket.on("message", (data) =>
        socket.send(
          Buffer.concat([data.subarray(0, 1), Buffer.from(data.subarray(1).toString().toUpperCase())]),
        ),
      );
    });
    await kubernetes.start();
  });
  afterAll(() => {
    api.close();
    kubernetes.stop();
  });

  const visit = async (pod: string): Promise<{ answer: string; problem: string | undefined }> => {
    const opened = await openTunnel({ via: "kubernetes", namespace: "ns", pod, port: 5432 });
    let answer = "";
    await new Promise<void>((closed) => {
      const client = connect(opened.port, opened.host, () => client.write("hello"));
      client.on("data", (data) => {
        answer += data.toString();
        client.end();
      });
      client.on("error", () => undefined).on("close", closed);
    });
    await opened.close();
    return { answer, problem: opened.lastProblem() };
  };

  test("is reached through the API server's port-forward", async () => {
    expect(await visit("pg-database-0")).toEqual({ answer: "HELLO" });
    expect(asked).toEqual(["/api/v1/namespaces/ns/pods/pg-database-0/portforward?ports=5432"]);
  });

  test("that nothing listens on is told", async () => {
    expect(await visit("broken")).toEqual({
      answer: "",
      problem: "port-forward to ns/broken:5432: connection refused",
    });
  });
});
