import { createServer, type Server } from "node:net";
import { type ExposedPort, takenHostPorts } from "../../../components/platforms/docker/host-ports";

let server: Server;
let taken: number;
beforeAll(async () => {
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  taken = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

const exposed = (): ExposedPort[] => [
  { setting: "proxy.ports.write", value: taken, entry: 0, port: taken },
  { setting: "proxy.ports.read", value: 1, entry: 0, port: 1 },
];

test("a port that another program uses is a problem", async () => {
  expect(await takenHostPorts("pg-dev", exposed(), () => Promise.resolve(new Set([1])))).toEqual([
    {
      setting: "proxy.ports.write",
      value: taken,
      rule: `port ${taken} on 127.0.0.1 is in use by another program`,
      remedy: "Stop that program (`ss -ltnp` shows it) or choose another port",
    },
  ]);
});

test("a port of the cluster's own is none", async () => {
  expect(await takenHostPorts("pg-dev", exposed(), () => Promise.resolve(new Set([1, taken])))).toEqual([]);
});

test("one of a further entry is told with the setting as it is written, since its ports follow from it", async () => {
  const further = { setting: "proxy.ports.write", value: taken - 10, entry: 1, port: taken };
  expect(await takenHostPorts("pg-dev", [further], () => Promise.resolve(new Set()))).toEqual([
    expect.objectContaining({
      setting: "proxy.ports.write",
      value: taken - 10,
      rule: `port ${taken} on 127.0.0.1, for entry 1, is in use by another program`,
    }),
  ]);
});
