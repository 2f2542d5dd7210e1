import { Client } from "pg";
import { logOf } from "../support/docker";
import { docker, TestStack } from "../support/stack";
import { connect, query } from "../support/writer";

const stack = new TestStack();

/** Every generated secret of the stack: passwords, and each line of its keys that is not the same in every key. */
async function markers(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const keep = (name: string, text: string): void => {
    for (const line of text.split("\n").map((l) => l.trim())) {
      if (line.length >= 16 && !line.startsWith("-----")) found.set(line, name);
    }
  };
  const deployment = JSON.parse(await stack.export("--show-secrets")) as {
    deployment: { resources: { urn: string; type: string; outputs?: Record<string, unknown> }[] };
  };
  for (const { type, urn, outputs } of deployment.deployment.resources) {
    const secret =
      type === "random:index/randomPassword:RandomPassword"
        ? outputs?.["result"]
        : outputs?.["privateKeyPem"];
    const text = plain(secret);
    if (text !== undefined) keep(urn.split("::").at(-1) ?? urn, text);
  }
  return found;
}

/** The CLI writes an exported secret as an object with its JSON text. */
function plain(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const text = (value as { plaintext?: string } | undefined)?.plaintext;
  return text === undefined ? undefined : (JSON.parse(text) as string);
}

describe("secrets (D9, S7)", () => {
  test("no generated secret is in the state file, in what preview and up print, in docker inspect or in any log", async () => {
    const secrets = await markers();
    expect(secrets.size).toBeGreaterThanOrEqual(14);
    const containers = await stack.containers();
    const places: Record<string, string> = {
      state: await stack.export(),
      preview: await stack.preview("--diff"),
      up: await stack.up("--refresh"),
    };
    for (const name of containers) {
      places[`inspect ${name}`] = await docker("inspect", name);
      places[`log ${name}`] = logOf(name);
      expect(places[`log ${name}`]).not.toBe("");
    }
    const hits = Object.entries(places).flatMap(([place, text]) =>
      [...secrets].filter(([secret]) => text.includes(secret)).map(([, name]) => `${name} in ${place}`),
    );
    expect(hits).toEqual([]);
    // The search itself finds what is there: the markers are in the containers' secret files.
    const inside = await docker(
      "exec",
      stack.member("pool-write", 0),
      "cat",
      "/secrets/pgbouncer/pool_auth-password",
    );
    expect(secrets.has(inside)).toBe(true);
  });

  test("secret files are readable by their program only", async () => {
    const names = await stack.containers();
    // Of every workload.
    expect(names).toHaveLength(12);
    for (const name of names) {
      const modes = await docker(
        "exec",
        name,
        "sh",
        "-c",
        "find -L /secrets -type f -printf '%m %U\\n' | sort -u",
      );
      expect(modes).toBe("400 10001");
    }
  });
});

describe("connections (D8, D9)", () => {
  test("without TLS nobody gets in", async () => {
    const target = await stack.target("app_readwrite");
    const [host, port] = (target.addresses[0] ?? "").split(":");
    const client = new Client({
      host,
      port: Number(port),
      database: target.database,
      user: target.user,
      password: target.password,
    });
    await expect(client.connect()).rejects.toThrow(/TLS|SSL/i);
  });

  test("a client that does not know the authority refuses the server", async () => {
    const target = await stack.target("app_readwrite");
    const other = { ...target, ca: "" };
    await expect(connect(other, target.addresses[0]!)).rejects.toThrow(/certificate/);
  });

  test("a wrong password is refused, and does not keep the right one out", async () => {
    const target = await stack.target("app_readwrite");
    await expect(connect({ ...target, password: "wrong" }, target.addresses[0]!)).rejects.toThrow(
      /password|SASL/i,
    );
    expect(await query(target, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  test("the superuser does not get in through an endpoint, even with the right password", async () => {
    const target = await stack.target("postgres");
    await expect(connect(target, target.addresses[0]!)).rejects.toThrow(/SASL|password|no such user/i);
  });

  test("app_readwrite writes and makes no table, app_readonly only reads, the owner changes the schema", async () => {
    const table = `rights_${Date.now()}`;
    const owner = await stack.target("dpg_cluster");
    const writer = await stack.target("app_readwrite");
    const reader = await stack.target("app_readonly");
    const attempt = async (target: typeof owner, sql: string): Promise<string> => {
      const client = await connect(target, target.addresses[0]!);
      try {
        await client.query(sql);
        return "done";
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      } finally {
        await client.end();
      }
    };
    expect(await attempt(owner, `CREATE TABLE ${table} (id int)`)).toBe("done");
    expect(await attempt(writer, `INSERT INTO ${table} VALUES (1)`)).toBe("done");
    expect(await attempt(writer, `CREATE TABLE ${table}_other (id int)`)).toBe("42501");
    expect(await attempt(writer, `DROP TABLE ${table}`)).toBe("42501");
    expect(await attempt(reader, `SELECT * FROM ${table}`)).toBe("done");
    expect(await attempt(reader, `DELETE FROM ${table}`)).toBe("42501");
    expect(await attempt(owner, `DROP TABLE ${table}`)).toBe("done");
  });

  test("a Patroni scope's etcd user can touch only its own keys", async () => {
    const member = stack.member("patroni", 0);
    const script = [
      "import yaml, json, ssl, base64, urllib.request",
      "secret = yaml.safe_load(open('/secrets/patroni/patroni.yml'))['etcd3']['password']",
      "context = ssl.create_default_context(cafile='/secrets/tls/ca.crt')",
      "def call(path, body, token=None):",
      `    request = urllib.request.Request('https://${stack.member("etcd", 0)}:2379/v3/' + path, json.dumps(body).encode(), {'Authorization': token} if token else {})`,
      "    try: return json.load(urllib.request.urlopen(request, context=context))",
      "    except urllib.error.HTTPError as error: return error.read().decode()",
      `token = call('auth/authenticate', {'name': 'patroni-${stack.cluster}', 'password': secret})['token']`,
      "key = lambda text: base64.b64encode(text.encode()).decode()",
      `print('header' in call('kv/put', {'key': key('/service/${stack.cluster}/probe'), 'value': key('x')}, token))`,
      `call('kv/deleterange', {'key': key('/service/${stack.cluster}/probe')}, token)`,
      "print('permission denied' in str(call('kv/put', {'key': key('/service/other/probe'), 'value': key('x')}, token)))",
      `print('user name is empty' in str(call('kv/put', {'key': key('/service/${stack.cluster}/probe'), 'value': key('x')})))`,
    ].join("\n");
    expect(await docker("exec", member, "/opt/patroni/bin/python3", "-c", script)).toBe("True\nTrue\nTrue");
  });
});
