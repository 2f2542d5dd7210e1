import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../commands/programs";
import { withCitus } from "../support/citus";
import { docker } from "../support/docker";
import { freezeContainer, switchover } from "../support/faults";
import { eventually } from "../support/stack";
import { coordinatorLeader, nodes, shards, sql, stack, workers } from "./cluster";

const HOST = `${stack.cluster}-outside`;
const RUNBOOK = readFileSync(join(PROJECT, "docs/runbooks/external-worker.md"), "utf8");
/** What the runbook says to write, so that it is the runbook that is tested. */
const said = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "m").exec(RUNBOOK)?.[1] ?? "";

/** A server as its owner sets it up: the members' image, for PostgreSQL and Citus, and nothing else of the stack. */
async function startOutside(files: Readonly<Record<string, string>>): Promise<void> {
  const [container = ""] = await stack.containers();
  const image = docker("inspect", "--format", "{{.Config.Image}}", stack.member("worker-1", 0));
  const network = docker(
    "inspect",
    "--format",
    "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}",
    container,
  );
  const name = ["--name", HOST, "--network", network, "--tmpfs", "/etc/postgres-cluster:uid=10001,mode=0700"];
  docker("run", "--detach", "--init", ...name, "--entrypoint", "sleep", image, "3600");
  const write = (path: string, text: string): void =>
    void docker("exec", HOST, "sh", "-c", 'umask 077; printf %s "$2" > "$1"', "sh", path, text);
  for (const [file, text] of Object.entries(files)) write(`/etc/postgres-cluster/${file}`, text);
  const [bin, data] = ["/usr/lib/postgresql/17/bin", "/tmp/outside"];
  docker(
    "exec",
    HOST,
    `${bin}/initdb`,
    "--pgdata",
    data,
    "--username=postgres",
    "--no-sync",
    "--locale=C.UTF-8",
    "--encoding=UTF8",
  );
  write(`${data}/postgresql.conf`, `unix_socket_directories = '/tmp'\n${said("ini")}`);
  write(`${data}/pg_hba.conf`, said("hba"));
  write(`${data}/pg_ident.conf`, said("ident"));
  docker("exec", HOST, `${bin}/pg_ctl`, "--wait", "--pgdata", data, "--log", "/tmp/outside.log", "start");
  docker(
    "exec",
    HOST,
    "sh",
    "-c",
    'printf %s "$1" | psql --host /tmp --username postgres -v ON_ERROR_STOP=1',
    "sh",
    said("sql"),
  );
}

(withCitus ? describe : describe.skip)("a worker that somebody else runs (D3)", () => {
  const group = 9;
  const declared = (joined: boolean) => ({
    workers: { groups: 2, external: [{ group, host: HOST, joined }] },
  });
  const sum = async (): Promise<string | undefined> =>
    (await sql<{ sum: string }>("SELECT sum(balance)::text AS sum FROM accounts"))[0]?.sum;

  beforeAll(() => stack.up());
  afterAll(() => void docker("rm", "--force", "--volumes", HOST));

  test("gets its certificate before it is there, joins, holds shards, and is proved to be what was declared", async () => {
    const balance = await sum();
    stack.configure(declared(false));
    expect(await stack.up()).not.toContain(`add ${HOST}`);
    const { externalWorkers } = await stack.outputs();
    await startOutside(externalWorkers?.[String(group)] ?? {});
    stack.configure(declared(true));
    expect(await stack.preview()).toContain(`worker group ${group} (${HOST}) joins`);
    expect(await stack.up()).toContain(`add ${HOST}:5432 to the cluster as group ${group}`);
    expect((await shards())[String(group)]).toBeGreaterThan(0);
    expect(await sum()).toBe(balance);
    await stack.preview("--expect-no-changes");
  });

  test("stays registered while Patroni keeps the nodes of its own groups", async () => {
    const leader = await coordinatorLeader();
    await switchover(leader, 0);
    await stack.up();
    expect(await nodes()).toContainEqual({ group, host: HOST, role: "primary" });
  });

  test("that is down is named by the next preview (F8)", async () => {
    const thaw = await freezeContainer(HOST);
    try {
      expect(await stack.preview()).toMatch(new RegExp(`cannot reach ${HOST}`));
    } finally {
      await thaw();
    }
    await eventually("it is reached again", 60_000, () => stack.preview("--expect-no-changes"));
  });

  test("leaves when it is declared no more, and nothing is lost", async () => {
    const balance = await sum();
    stack.configure(workers(2));
    await stack.up();
    expect(await shards()).not.toHaveProperty(String(group));
    expect((await nodes()).map((node) => node.host)).not.toContain(HOST);
    expect(await sum()).toBe(balance);
  });
});
