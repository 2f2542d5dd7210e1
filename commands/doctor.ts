import * as net from "node:net";
import * as tls from "node:tls";
import { configurationProblems } from "./configuration";
import { capture } from "./programs";
import {
  etcdctl,
  execute,
  externalWorkers,
  type Group,
  groups,
  leader,
  type Member,
  members,
  type PatroniMember,
  patroniMembers,
  psqlIn,
  revival,
} from "./containers";
import { type ListedMember, memberLabel, undeclared } from "../components/resources/etcd/members";
import { judgeCluster, type RegisteredNode } from "../components/resources/sql/cluster-check/plan";
import { readAllNodesStatement } from "../components/resources/sql/cluster-check/statements";
import { readHealthStatement } from "../components/resources/sql/worker-groups/statements";
import { leaderless } from "./leaderless";
import { stackOutputs, type StackOutputs } from "./lifecycle";
import { messageOf } from "../components/dynamic/reason";

/** What a check found: nothing wrong, or what it is and how to mend it. */
interface Finding {
  readonly part: string;
  readonly ok: boolean;
  readonly seen: string;
  readonly remedy?: string;
}

const good = (part: string, seen: string): Finding => ({ part, ok: true, seen });
const bad = (part: string, seen: string, remedy: string): Finding => ({ part, ok: false, seen, remedy });

/** The longest interval of a health check, and as much again for the look itself. */
const FIRST_LOOK_MS = 20_000;

/** Checks every part and says what is wrong and how to mend it. Exit code 1 when anything is. */
export async function doctor(stack: string): Promise<number> {
  const findings: Finding[] = [];
  const add = (...more: readonly Finding[]): void => {
    findings.push(...more);
    for (const { ok, part, seen, remedy } of more) {
      console.log(
        `${ok ? "ok     " : "WRONG  "} ${part.padEnd(22)} ${seen}${remedy ? `\n${" ".repeat(31)}-> ${remedy}` : ""}`,
      );
    }
  };
  const engine = await checkEngine();
  add(engine);
  if (engine.ok) {
    const all = await judgedMembers(stack);
    if (all.length === 0) {
      add(bad("stack", `${stack} has no containers`, "bring it up with 'make up'"));
    } else {
      add(...all.map(checkContainer));
      add(await checkEtcd(all));
      const databases = await groups(stack).catch(() => []);
      if (databases.length === 0) add(bad("database", "it has no members", "bring them up with 'make up'"));
      for (const group of databases) add(...(await checkGroup(stack, group, all)));
      add(...(await checkWatchdogs(databases, all)));
      if (databases[0]?.number !== undefined) add(...(await checkNodes(stack, databases, all)));
      const outputs = await stackOutputs(stack).catch((error: unknown) => messageOf(error));
      if (typeof outputs === "string") {
        add(bad("outputs", outputs, "run 'make up' to the end"));
      } else {
        add(...(await checkEndpoints(outputs)), ...checkCertificates(outputs));
      }
      add(await checkDisk(all));
    }
  }
  const wrong = findings.filter((finding) => !finding.ok).length;
  console.log(
    wrong === 0
      ? "\nEverything is as it should be."
      : `\n${wrong} of ${findings.length} checks found something wrong.`,
  );
  return wrong === 0 ? 0 : 1;
}

const checkEngine = (): Promise<Finding> =>
  capture("docker", ["version", "--format", "{{.Server.Version}}"]).then(
    (version) => good("Docker engine", `version ${version.trim()}`),
    (error: unknown) =>
      bad(
        "Docker engine",
        messageOf(error),
        "start it (systemctl start docker), or set DOCKER_HOST; 'make up' installs and starts one",
      ),
  );

/** The members, once Docker has looked at them: after a start it says "starting" until its first look, ready or not. */
async function judgedMembers(stack: string): Promise<Member[]> {
  const deadline = Date.now() + FIRST_LOOK_MS;
  for (;;) {
    const all = await members(stack);
    if (!all.some(({ status }) => status.includes("starting")) || Date.now() >= deadline) return all;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

export function checkContainer(member: Member): Finding {
  if (member.state === "running" && !/unhealthy|starting/.test(member.status))
    return good(member.name, member.status);
  const runbook = member.state === "paused" ? " (docs/runbooks/member-frozen.md)" : "";
  const remedy =
    member.state === "running"
      ? `its log says why: docker logs --tail 50 ${member.name}`
      : `bring it back, with its data: ${revival(member)}${runbook}`;
  return bad(member.name, member.status, remedy);
}

/** Members that were killed by their own process 1. That is over, and whoever sees it wants to know why. */
async function checkWatchdogs(databases: readonly Group[], all: readonly Member[]): Promise<Finding[]> {
  const running = all.filter(
    ({ workload, state }) => state === "running" && databases.some((group) => group.workload === workload),
  );
  const said = await Promise.all(
    running.map(({ name }) => execute(name, ["cat", "/run/patroni/watchdog.kills"]).catch(() => "")),
  );
  return running.flatMap(({ name }, index) => {
    const kills = (said[index] ?? "").split("\n").filter((line) => line !== "");
    if (kills.length === 0) return [];
    const times = kills.length === 1 ? "once" : `${kills.length} times`;
    const seen = `has killed everything ${times} since the container was started, last ${kills.at(-1)} (docs/runbooks/member-frozen.md)`;
    return [good(`${name} watchdog`, seen)];
  });
}

export async function checkEtcd(all: readonly Member[]): Promise<Finding> {
  const etcd = all.filter((member) => member.workload === "etcd");
  const serving = await Promise.all(
    etcd.map((member) =>
      execute(member.name, ["etcd-ready"]).then(
        () => true,
        () => false,
      ),
    ),
  );
  const count = serving.filter(Boolean).length;
  const majority = Math.floor(etcd.length / 2) + 1;
  const seen = `${count} of ${etcd.length} members serve`;
  const serves = etcd[serving.indexOf(true)];
  if (serves !== undefined) {
    const counted = await etcdMembers(serves).catch((error: unknown) => messageOf(error));
    if (typeof counted === "string") return bad("etcd", counted, `docker logs --tail 50 ${serves.name}`);
    const others = undeclared(
      counted,
      etcd.map(({ name }) => ({ serverName: name })),
    ).map(memberLabel);
    if (others.length > 0)
      return bad(
        "etcd",
        `${seen}; ${others.join(", ")} counts as a member too, and there is none`,
        "a majority is one of all that count: 'make up' removes who is not declared",
      );
  }
  if (count === etcd.length) return good("etcd", seen);
  return bad(
    "etcd",
    `${seen}, ${majority} are needed`,
    count >= majority
      ? "one more loss would stop failovers: docs/runbooks/etcd-member-lost.md"
      : "no failover can happen until a majority is back: docs/runbooks/etcd-majority-lost.md",
  );
}

/** The members that etcd itself counts. */
async function etcdMembers({ name }: Member): Promise<readonly ListedMember[]> {
  const list = await execute(name, etcdctl("member list --write-out=json"));
  return (JSON.parse(list) as { members: readonly ListedMember[] }).members;
}

async function checkGroup(stack: string, group: Group, all: readonly Member[]): Promise<Finding[]> {
  const { workload } = group;
  const configuration = (await configurationProblems(workload, all)).map(({ part, seen, remedy }) =>
    bad(part, seen, remedy),
  );
  const expected = all.filter((member) => member.workload === workload).length;
  const found = await patroniMembers(stack, group).catch((error: unknown) => messageOf(error));
  const waiting = async (otherwise: string): Promise<Finding> => {
    const why = await leaderless(stack, group).catch(() => undefined);
    return bad(`${workload} leader`, why?.seen ?? otherwise, why?.remedy ?? "docs/runbooks/no-leader.md");
  };
  if (typeof found === "string") return [await waiting(found), ...configuration];
  const isLeader = (member: PatroniMember): boolean => /leader/i.test(member.Role);
  const leaders = found.filter(isLeader);
  const findings: Finding[] = [...configuration];
  if (leaders.length === 1)
    findings.push(
      good(`${workload} leader`, `${leaders[0]?.Member ?? ""}, timeline ${leaders[0]?.TL ?? "?"}`),
    );
  else if (leaders.length === 0) findings.push(await waiting("nobody leads"));
  else
    findings.push(bad(`${workload} leader`, `${leaders.length} members lead`, "docs/runbooks/no-leader.md"));
  for (const member of found.filter((m) => !isLeader(m))) {
    const lag = Number(member["Replay Lag"] ?? 0);
    const seen = `${member.State}, lag ${member["Replay Lag"] ?? "unknown"} MB`;
    // What is wrong is that nobody leads, and has been said.
    if (leaders.length === 0 && member.State === "running") {
      findings.push(good(member.Member, "running, waits for a leader"));
      continue;
    }
    findings.push(
      member.State === "streaming" && lag < 100
        ? good(member.Member, seen)
        : bad(member.Member, seen, "docs/runbooks/replica-behind.md"),
    );
  }
  for (const member of found.filter((m) => m["Pending restart"])) {
    findings.push(
      bad(
        member.Member,
        "a changed parameter waits for a restart",
        "'make up' or 'make restart' does it in order",
      ),
    );
  }
  if (found.length !== expected) {
    findings.push(
      bad(
        `${workload} members`,
        `${found.length} of ${expected} are known to Patroni`,
        "docs/runbooks/member-lost.md",
      ),
    );
  }
  return findings;
}

/** What the coordinator thinks of its nodes, against the members that there are and what Patroni says of them. */
async function checkNodes(
  stack: string,
  databases: readonly Group[],
  all: readonly Member[],
): Promise<Finding[]> {
  const [coordinators] = databases;
  if (!coordinators) return [];
  const remedy = "docs/runbooks/citus-nodes.md";
  try {
    const from = await leader(stack, coordinators);
    const { database } = await stackOutputs(stack);
    const rows = async <Row>(sql: string): Promise<Row[]> => {
      const query = `SELECT coalesce(json_agg(found), '[]') FROM (${sql}) found`;
      const psql = psqlIn(database, "--no-align", "--tuples-only", "--command", query);
      return JSON.parse(await execute(from, psql)) as Row[];
    };
    const dcs = databases.map(async (group) => {
      const known = await patroniMembers(stack, group);
      return known.map(({ Member, Role }) => ({
        name: Member,
        role: /leader/i.test(Role) ? "leader" : "replica",
      }));
    });
    const expected = databases.map(({ number = 0, workload }) => ({
      group: number,
      members: all.filter((member) => member.workload === workload).map(({ name }) => ({ name, host: name })),
    }));
    const views = await Promise.all(
      dcs.map((view) =>
        view.then(
          (members) => ({ members }),
          (error: unknown) => ({ problem: messageOf(error) }),
        ),
      ),
    );
    const nodes = await rows<RegisteredNode>(readAllNodesStatement());
    const outside = externalWorkers(stack).map(({ group, host }) => ({
      ...{ group, external: true },
      members: [{ name: host, host }],
    }));
    const problems = judgeCluster([...expected, ...outside], {
      nodes,
      dcs: Object.fromEntries(views.map((view, i) => [expected[i]?.group ?? i, view])),
      broken: await rows(readHealthStatement()),
    });
    return problems.length > 0
      ? problems.map((problem) => bad("Citus nodes", problem, remedy))
      : [good("Citus nodes", `${nodes.length} registered as they are, each reaches every other one`)];
  } catch (error) {
    return [bad("Citus nodes", messageOf(error), remedy)];
  }
}

/** Logs in as TLS clients do; what a role may do is the business of `make psql ROLE=...`. */
async function checkEndpoints(outputs: StackOutputs): Promise<Finding[]> {
  const checks = (["write", "read"] as const).flatMap((kind) =>
    outputs.endpoints[kind].map(async (address) => {
      const part = `${kind} ${address}`;
      return tlsLogin(address, outputs.certificateAuthority).then(
        () => good(part, "answers, certificate verified"),
        (error: unknown) => bad(part, messageOf(error), "docs/runbooks/endpoint-down.md"),
      );
    }),
  );
  return Promise.all(checks);
}

/** PostgreSQL's request for TLS, then a handshake with full verification. */
function tlsLogin(address: string, ca: string): Promise<void> {
  const [host = "", port = ""] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port: Number(port) });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(5_000, () => fail(new Error("no answer in 5 s")));
    socket.once("error", fail);
    // SSLRequest: length 8, code 80877103 (https://www.postgresql.org/docs/17/protocol-message-formats.html)
    socket.once("connect", () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])));
    socket.once("close", () => fail(new Error("the connection was closed")));
    socket.once("data", (answer) => {
      if (answer[0] !== "S".charCodeAt(0)) {
        fail(new Error("it does not offer TLS"));
        return;
      }
      const secure = tls.connect({ socket, ca, host }, () => {
        socket.removeAllListeners("close");
        secure.destroy();
        resolve();
      });
      secure.once("error", fail);
    });
  });
}

function checkCertificates(outputs: StackOutputs): Finding[] {
  return Object.entries(outputs.certificatesExpire).map(([name, expires]) => {
    const days = Math.floor((Date.parse(expires) - Date.now()) / 86_400_000);
    const seen = `certificate ends in ${days} days (${expires.slice(0, 10)})`;
    return days >= 14
      ? good(`certificate ${name}`, seen)
      : bad(`certificate ${name}`, seen, "'make up' renews it: docs/runbooks/certificate-expired.md");
  });
}

async function checkDisk(all: readonly Member[]): Promise<Finding> {
  const member = all.find((m) => /^(patroni|coordinator)$/.test(m.workload) && m.state === "running");
  if (!member) return bad("disk", "no database member runs", "see above");
  const line =
    (await execute(member.name, ["df", "--output=pcent,avail", "-h", "/var/lib/postgresql"]))
      .trim()
      .split("\n")
      .at(-1) ?? "";
  const used = Number(/([0-9]+)%/.exec(line)?.[1] ?? 100);
  return used < 90
    ? good("disk", `${used} % used where the data lies`)
    : bad(
        "disk",
        `${used} % used where the data lies`,
        "free space before PostgreSQL stops: docs/runbooks/disk-full.md",
      );
}
