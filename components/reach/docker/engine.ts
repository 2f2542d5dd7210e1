/** Operations of the Docker engine that the dynamic resources need. */
import type Dockerode from "dockerode";
import type { Execution } from "../cluster-members";
import { demultiplex } from "./frames";

/** The engine at `DOCKER_HOST`, by default at the local socket; the same one that the Docker provider uses. */
export function dockerEngine(): Dockerode {
  const Engine = require("dockerode") as typeof Dockerode;
  return new Engine();
}

/** Whether the engine answered that the object does not exist. Any other error says nothing about the object. */
export function isNotFound(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}

/** Stops a container gracefully. Does nothing if it does not exist or has already stopped. */
export async function stopContainer(engine: Dockerode, name: string): Promise<void> {
  await engine
    .getContainer(name)
    .stop()
    .catch((error: unknown) => {
      if (!isNotFound(error) && (error as { statusCode?: number }).statusCode !== 304) throw error;
    });
}

/** The output of a container without a terminal, in order: standard output alone, and together with standard error. */
export async function outputsOf(
  engine: Dockerode,
  frames: NodeJS.ReadableStream,
): Promise<{ readonly stdout: string; readonly output: string }> {
  const { Writable } = require("node:stream") as typeof import("node:stream");
  const { finished } = require("node:stream/promises") as typeof import("node:stream/promises");
  const [stdout, output]: [Buffer[], Buffer[]] = [[], []];
  const into = (...lists: readonly Buffer[][]) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        for (const list of lists) list.push(chunk);
        done();
      },
    });
  await finished(demultiplex(engine, frames, into(stdout, output), into(output)), { writable: false });
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString("utf8");
  return { stdout: text(stdout), output: text(output) };
}

/** The last lines of a container's log. */
export async function logOf(engine: Dockerode, container: string, lines: number): Promise<string> {
  const { Readable } = require("node:stream") as typeof import("node:stream");
  const log = await engine.getContainer(container).logs({ stdout: true, stderr: true, tail: lines });
  return (await outputsOf(engine, Readable.from([log]))).output;
}

/**
 * Runs a command in a container. Fails if the container does not exist (404) or does not run (409), or if the command exceeds its
 * timeout. It then continues in the container, because the engine cannot stop it.
 */
export async function execIn(
  engine: Dockerode,
  container: string,
  command: readonly string[],
  timeoutSeconds: number,
): Promise<Execution> {
  const exec = await engine
    .getContainer(container)
    .exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  const timer = setTimeout(
    () => stream.destroy(new Error(`${command[0]} in ${container} did not end within ${timeoutSeconds} s`)),
    timeoutSeconds * 1000,
  );
  const said = await outputsOf(engine, stream).finally(() => clearTimeout(timer));
  const { ExitCode } = await exec.inspect();
  return { exitCode: ExitCode ?? -1, stdout: said.stdout.trim(), output: said.output.trim() };
}

/** The state of a container. */
export interface MemberState {
  /** `running`, `restarting`, `exited`, `created`, ...; `missing` if the container does not exist. */
  readonly status: string;
  readonly health: string;
  readonly exitCode: number;
  readonly restarts: number;
  /** When the program was started; empty if the container does not exist. */
  readonly startedAt: string;
}

export async function memberState(engine: Dockerode, container: string): Promise<MemberState> {
  try {
    const { State, RestartCount } = await engine.getContainer(container).inspect();
    return {
      status: State.Status,
      health: State.Health?.Status ?? "none",
      exitCode: State.ExitCode,
      restarts: RestartCount,
      startedAt: State.StartedAt,
    };
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return { status: "missing", health: "none", exitCode: 0, restarts: 0, startedAt: "" };
  }
}
