/** What the dynamic resources ask of the Docker engine. */
import type Dockerode from "dockerode";
import type { Execution } from "../cluster-members";

/** The engine that `DOCKER_HOST` names, else the local socket; the same that the Docker provider uses. */
export function dockerEngine(): Dockerode {
  const Engine = require("dockerode") as typeof Dockerode;
  return new Engine();
}

/** Whether the engine answered that there is no such thing. Any other failure says nothing about the thing. */
export function isNotFound(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}

/** Stops a container in its own time. One that is gone, or has stopped by itself, is stopped. */
export async function stopContainer(engine: Dockerode, name: string): Promise<void> {
  await engine
    .getContainer(name)
    .stop()
    .catch((error: unknown) => {
      if (!isNotFound(error) && (error as { statusCode?: number }).statusCode !== 304) throw error;
    });
}

/** What a container without a terminal said, in the order in which it came: its output alone, and with its errors. */
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
  // The engine sends both as one stream of frames.
  engine.modem.demuxStream(frames, into(stdout, output), into(output));
  await finished(frames, { writable: false });
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
 * Runs a command in a running container. Fails when there is none (404) or it does not run (409), and when the command takes
 * longer than its time; it then goes on in the container, which the engine has no means to end.
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

/** A container as a person would ask for it. */
export interface MemberState {
  /** `running`, `restarting`, `exited`, `created`, ...; `missing` when there is no such container. */
  readonly status: string;
  readonly health: string;
  readonly exitCode: number;
  readonly restarts: number;
  /** When the program was started; empty when there is no container. */
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
