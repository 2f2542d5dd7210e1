/** What the dynamic resources ask of the Docker engine. */
import type Dockerode from "dockerode";

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

/** The text in a multiplexed stream of the engine: frames of an 8-byte header (stream, length) and a payload. */
export function frameText(raw: Buffer): string {
  const payloads: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length;) {
    const length = raw.readUInt32BE(at + 4);
    payloads.push(raw.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(payloads).toString("utf8");
}

export interface CommandResult {
  readonly exitCode: number;
  /** Both of its outputs, as they came. */
  readonly output: string;
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
): Promise<CommandResult> {
  const exec = await engine
    .getContainer(container)
    .exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({});
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${command[0]} in ${container} did not end within ${timeoutSeconds} s`));
      stream.destroy();
    }, timeoutSeconds * 1000);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", resolve);
    stream.on("close", () => {
      clearTimeout(timer);
    });
  });
  const { ExitCode } = await exec.inspect();
  return { exitCode: ExitCode ?? -1, output: frameText(Buffer.concat(chunks)).trim() };
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
