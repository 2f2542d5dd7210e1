import { randomBytes } from "node:crypto";
import { eventually } from "../../../support/stack";
import { describeWithImage, docker, dockerAsRoot } from "../../../support/docker";
import { imageOf } from "../../../support/patroni";

/** PgBouncer in front of a name that moves from one address to another, as a restarted member's does. */
const CONFIGURATION = (resolvConf: string): string => `
[databases]
* = host=member port=5432 user=u
[pgbouncer]
unix_socket_dir = /tmp
listen_port = 6432
auth_type = any
dns_max_ttl = 1
server_connect_timeout = 1
server_login_retry = 0
${resolvConf}
`;

describeWithImage("the addresses of a pool's members (D8)", () => {
  const id = randomBytes(4).toString("hex");
  const network = `resolver-${id}`;
  const container = (name: string): string => `resolver-${id}-${name}`;

  beforeAll(() => {
    const image = imageOf("pgbouncer");
    docker("network", "create", network);
    const run = (name: string, where: string): string =>
      docker(
        ...["run", "--detach", "--name", container(name), "--network", where],
        ...["--entrypoint", "sleep", image, "infinity"],
      );
    run("pool", network);
    for (const name of ["former", "present"]) run(name, "bridge");
    docker(
      "exec",
      "--detach",
      container("pool"),
      "sh",
      "-c",
      "cd /usr/local/lib/pool-follower && python3 -c 'import resolver, time; resolver.serve(); time.sleep(3600)'",
    );
    // Accept, and say nothing: where PgBouncer knocks is all that is asked.
    for (const name of ["former", "present"])
      docker(
        "exec",
        "--detach",
        container(name),
        "socat",
        "TCP-LISTEN:5432,fork,reuseaddr",
        "OPEN:/dev/null",
      );
  });

  afterAll(() => {
    for (const name of ["pool", "former", "present"]) docker("rm", "--force", container(name));
    docker("network", "rm", network);
  });

  const join = (name: string): string =>
    docker("network", "connect", "--alias", "member", network, container(name));
  const address = (name: string): string =>
    docker(
      "inspect",
      "--format",
      `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`,
      container(name),
    );

  /** Where PgBouncer goes when a client comes. */
  const knocksAt = (port: number): string => {
    docker(
      "exec",
      container("pool"),
      "sh",
      "-c",
      `python3 -c 'import psycopg2; psycopg2.connect("host=/tmp port=${port} user=u dbname=d connect_timeout=2")' 2>/dev/null || true`,
    );
    return docker(
      "exec",
      container("pool"),
      "sh",
      "-c",
      `grep -o "@[0-9.]*:5432 new connection to server" /tmp/${port}.log | tail -n 1 | tr -d @ | cut -d: -f1`,
    );
  };

  const start = (port: number, resolvConf: string): void => {
    const file = `/tmp/${port}.ini`;
    const text = CONFIGURATION(resolvConf).replace("6432", String(port)) + `logfile = /tmp/${port}.log\n`;
    const files = `printf '%s' '${text}' > ${file} && printf 'nameserver 127.0.0.1:6053\n' > /tmp/resolv.conf`;
    docker("exec", "--detach", container("pool"), "sh", "-c", `${files} && exec pgbouncer -q -v ${file}`);
  };

  test("a name that has moved is sought where it is now, and not where the name server's lifetime would leave it", async () => {
    join("former");
    start(6501, "resolv_conf = /tmp/resolv.conf");
    start(6502, "");
    await eventually("the pools go to the member", 30_000, async () => {
      for (const port of [6501, 6502])
        if (knocksAt(port) !== address("former")) throw new Error(knocksAt(port));
      return Promise.resolve();
    });
    // In this order, or it gets the former's address, too.
    join("present");
    docker("network", "disconnect", network, container("former"));
    await eventually("the pool goes to the member's new address", 30_000, async () => {
      if (knocksAt(6501) !== address("present")) throw new Error(knocksAt(6501));
      return Promise.resolve();
    });
    // Should this one day go there, too, the library has learned to forget, and the resolver can be deleted.
    expect(knocksAt(6502)).not.toBe(address("present"));
  });

  test("a name server that does not answer says nothing of a member: neither is it sought elsewhere nor taken for stopped", () => {
    /** What the follower makes of a member of which it knows the name alone. */
    const looksAt = (name: string): unknown => {
      const look = `import patroni, ssl; print(patroni.Member("${name}", 8008, 0, "primary", ssl.create_default_context(), None).look()[0])`;
      return docker(
        ...["exec", "--workdir", "/usr/local/lib/pool-follower", container("pool")],
        ...["python3", "-c", look],
      );
    };
    const resolvConf = (command: string): string => dockerAsRoot(container("pool"), "sh", "-c", command);
    expect(looksAt("nobody.invalid")).toBe("stopped");
    // Addresses of the block that is for examples in documents: nobody answers there. Three take longer than PgBouncer's library waits.
    const away = [1, 2, 3].map((host) => `nameserver 192.0.2.${host}\\n`).join("");
    resolvConf(`cp /etc/resolv.conf /tmp/before && printf '${away}' > /etc/resolv.conf`);
    try {
      expect(looksAt("nobody.invalid")).toBe("silent");
      docker("exec", container("pool"), "sh", "-c", ": > /tmp/6501.log");
      expect(knocksAt(6501)).toBe(address("present"));
    } finally {
      resolvConf("cat /tmp/before > /etc/resolv.conf");
    }
  });

  test("whom the follower has looked at, PgBouncer finds without a name server, and the follower, too", () => {
    const script = `
import patroni, resolver, socket, ssl
member = patroni.Member("member", 8008, 0, "primary", ssl.create_default_context(), None)
first = member.look()[0]
asked = socket.getaddrinfo
def away(host, *others, **named):
    if host == "member":
        raise socket.gaierror(socket.EAI_AGAIN, "nobody answers")
    return asked(host, *others, **named)
socket.getaddrinfo = away
# Nothing listens there, which only who gets there can know.
print(first, member.look()[0], socket.inet_ntop(*resolver.addresses("member")[0]))`;
    const printed = docker(
      ...["exec", "--workdir", "/usr/local/lib/pool-follower", container("pool")],
      ...["python3", "-c", script],
    );
    expect(printed).toBe(`stopped stopped ${address("present")}`);
  });
});
