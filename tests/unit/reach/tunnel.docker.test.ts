import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { type Tunnel, openTunnel } from "../../../components/reach/tunnel";
import { describeWithImage, docker } from "../../support/docker";
import { eventually } from "../../support/stack";

describeWithImage("a port in a container", (image) => {
  const name = `tunnel-test-${process.pid}`;
  let opened: Tunnel;
  beforeAll(async () => {
    // An echo that ends when its client has finished; nothing is published.
    const echo = ["TCP-LISTEN:7000,fork,reuseaddr,bind=127.0.0.1", "EXEC:cat"];
    docker("run", "-d", "--name", name, "--user", "10001:10001", "--entrypoint", "socat", image, ...echo);
    opened = await openTunnel({ via: "docker", container: name, port: 7000 });
  });
  afterAll(async () => {
    await opened.close();
    docker("rm", "-f", name);
  });

  const client = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: opened.host, port: opened.port, allowHalfOpen: true }, () =>
        resolve(socket),
      );
      socket.once("error", reject);
    });
  const all = async (socket: Socket): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };
  const relays = (): number => {
    const listing =
      "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done | grep -c 'soca[t] -t' || true";
    return Number(docker("exec", name, "sh", "-c", listing));
  };

  test("carries bytes both ways and the end of each", async () => {
    const sent = randomBytes(5_000_000);
    const socket = await client();
    const received = all(socket);
    socket.end(sent);
    const digest = (b: Buffer): string => createHash("sha256").update(b).digest("hex");
    const back = await received;
    expect(back.length).toBe(sent.length);
    expect(digest(back)).toBe(digest(sent));
  });

  test("carries several clients at the same time", async () => {
    const texts = await Promise.all(
      ["a", "b", "c", "d", "e", "f"].map(async (letter) => {
        const socket = await client();
        const received = all(socket);
        socket.write(letter);
        socket.end(letter);
        return (await received).toString();
      }),
    );
    expect(texts).toEqual(["aa", "bb", "cc", "dd", "ee", "ff"]);
  });

  test("leaves no relay behind when a client goes away", async () => {
    const socket = await client();
    socket.write("x");
    await new Promise((resolve) => socket.once("data", resolve));
    expect(relays()).toBe(1);
    socket.destroy();
    for (let i = 0; i < 50 && relays() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(relays()).toBe(0);
  });

  test("cuts the client off where nothing listens, and knows why", async () => {
    const closed = await openTunnel({ via: "docker", container: name, port: 7001 });
    await new Promise<void>((resolve) => {
      const socket = connect(closed.port, closed.host);
      socket.on("error", () => undefined);
      socket.on("close", () => resolve());
    });
    expect(closed.lastProblem()).toBe(
      `relay in ${name} to port 7001: TCP:127.0.0.1:7001: Connection refused`,
    );
    await closed.close();
  });

  test("is reached without a relay where it listens on the container's own address and that is allowed", async () => {
    const address = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", name);
    docker("exec", "-d", name, "socat", "TCP-LISTEN:7002,fork,reuseaddr", "EXEC:cat");
    const reach = { via: "docker", container: name, port: 7002 } as const;
    await eventually("socat listens", 10_000, async () => {
      expect(await openTunnel(reach, { direct: true })).toMatchObject({ host: address, port: 7002 });
    });
    const asked = await openTunnel(reach);
    expect(asked.host).toBe("127.0.0.1");
    await asked.close();
  });

  test("is reached through a relay where it listens inside the container only", async () => {
    const inside = await openTunnel({ via: "docker", container: name, port: 7000 }, { direct: true });
    expect(inside.host).toBe("127.0.0.1");
    await inside.close();
  });

  test("fails at once where the container does not run", async () => {
    await expect(openTunnel({ via: "docker", container: `${name}-none`, port: 1 })).rejects.toThrow(
      /no such container/i,
    );
    docker("create", "--name", `${name}-idle`, image);
    await expect(openTunnel({ via: "docker", container: `${name}-idle`, port: 1 })).rejects.toThrow(
      "is not running (created)",
    );
    docker("rm", `${name}-idle`);
  });
});
