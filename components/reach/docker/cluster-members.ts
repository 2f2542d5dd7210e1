/** A cluster's members as containers of the Docker engine. */
import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { messageOf } from "../../dynamic/reason";
import type { AttachEnvironment, ClusterMember, ClusterMembers } from "../cluster-members";
import { bad, good } from "../finding";
import { lineStream } from "../lines";
import { dockerEngine, execIn, isNotFound } from "./engine";
import { demultiplex } from "./frames";
import { LABELS } from "./names";

/** The properties of a container that are used here. */
export interface ContainerFacts {
  readonly name: string;
  readonly workload: string;
  readonly state: string;
  readonly status: string;
  /** Status of its health check; undefined if it has none. */
  readonly health?: string;
  readonly startedAt: string;
  readonly restarts: number;
}

export function describeContainer(facts: ContainerFacts, node: string): ClusterMember {
  const { name, workload, state, status, health = "healthy", startedAt, restarts } = facts;
  const running = state === "running";
  const readiness = !running
    ? "unready"
    : health === "starting"
      ? "starting"
      : health === "healthy"
        ? "ready"
        : "unready";
  return {
    ...{ name, workload, state, readiness, status, restarts, address: name },
    node: running ? node : "",
    ...(running && { startedAt }),
  };
}

/** @param up how a remedy calls `up` for this stack: `'make up STACK=demo'` */
export function dockerMembers(cluster: string, up: string): ClusterMembers {
  const label = [`${LABELS.stack}=${cluster}`];
  return {
    platform: "the Docker engine",
    membersReachEntry: true,

    async list() {
      const engine = dockerEngine();
      const [containers, info] = await Promise.all([
        engine.listContainers({ all: true, filters: { label } }),
        engine.info() as Promise<{ readonly Name?: string }>,
      ]);
      const found = await Promise.all(
        containers.map(async ({ Id, Names, Labels, State, Status }) => {
          const seen = await engine
            .getContainer(Id)
            .inspect()
            .catch((error: unknown) => {
              if (isNotFound(error)) return undefined;
              throw error;
            });
          if (seen === undefined) return [];
          const facts: ContainerFacts = {
            name: (Names[0] ?? "/").slice(1),
            workload: Labels[LABELS.workload] ?? "",
            state: State,
            status: Status,
            startedAt: seen.State.StartedAt,
            restarts: seen.RestartCount,
            ...(seen.State.Health && { health: seen.State.Health.Status }),
          };
          return [describeContainer(facts, info.Name ?? "")];
        }),
      );
      return found.flat().sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    },

    execute: (member, command, timeoutSeconds) => execIn(dockerEngine(), member, command, timeoutSeconds),

    /** Runs the `docker` CLI, which supports every terminal. */
    attach(member, command, environment: AttachEnvironment = {}) {
      // Only the names of the variables are arguments: other users of this machine could read a password in the process list.
      const names = Object.keys(environment).flatMap((name) => ["--env", name]);
      const terminal = process.stdin.isTTY && process.stdout.isTTY ? ["--tty"] : [];
      const child = spawn("docker", ["exec", "--interactive", ...terminal, ...names, member, ...command], {
        stdio: "inherit",
        env: { ...process.env, ...environment },
      });
      return new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("exit", (code) => resolve(code ?? 1));
      });
    },

    async logs(member, { tail, follow }, line) {
      const container = dockerEngine().getContainer(member);
      const options = { stdout: true, stderr: true, ...(tail !== undefined && { tail }) };
      const frames = follow
        ? await container.logs({ ...options, follow: true })
        : Readable.from([await container.logs({ ...options, follow: false })]);
      // One stream per output, so that a partial line is never joined with a line of the other output.
      const outputs = [lineStream(line), lineStream(line)] as const;
      await finished(demultiplex(dockerEngine(), frames, ...outputs), { writable: false });
      for (const output of outputs) output.end();
      await Promise.all(outputs.map((output) => finished(output)));
    },

    reach: (container, port) => ({ via: "docker", container, port }),

    revival: ({ name, state }) =>
      state === "paused" ? `docker unpause ${name}` : `docker start ${name}, or ${up}`,
    restarting: (member) => `docker restart ${member}`,

    async health() {
      try {
        const { Version } = (await dockerEngine().version()) as { readonly Version: string };
        return [good("Docker engine", `version ${Version}`)];
      } catch (error) {
        const remedy = `start it (systemctl start docker), or set DOCKER_HOST; ${up} installs and starts one`;
        return [bad("Docker engine", messageOf(error), remedy)];
      }
    },
  };
}
