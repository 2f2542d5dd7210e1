import { execFile, spawn } from "node:child_process";
import { PassThrough, type Readable, type Writable } from "node:stream";
import { promisify } from "node:util";
import Docker from "dockerode";

/** How a test gets into a member, wherever that runs. */
export interface Inside {
  /** Runs a command to its end; resolves with its trimmed output. */
  run(member: string, ...command: string[]): Promise<string>;
  /** Starts a program that one talks with. It ends with its member. */
  talk(member: string, command: readonly string[]): Promise<Talk>;
  /** One of its processes, as this machine numbers them. */
  process(member: string): Promise<number>;
}

export interface Talk {
  readonly input: Writable;
  readonly output: Readable;
  /** Runs when the program cannot be talked with any more. */
  ended(then: () => void): void;
  end(): void;
}

const engine = new Docker();
const run = promisify(execFile);

/** A member that is a container of this machine's Docker engine. */
export const containers: Inside = {
  run: async (member, ...command) => (await run("docker", ["exec", member, ...command])).stdout.trim(),

  /** By the engine's interface: a client that is started at every look would take the machine's time from what is measured. */
  async talk(member, command) {
    const exec = await engine.getContainer(member).exec({
      ...{ Cmd: [...command], AttachStdin: true, AttachStdout: true, AttachStderr: true },
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    const output = new PassThrough();
    engine.modem.demuxStream(stream, output, new PassThrough().resume());
    return {
      ...{ input: stream, output },
      ended: (then) => ["error", "end", "close"].forEach((event) => stream.on(event, then)),
      end: () => stream.destroy(),
    };
  },

  process: async (member) =>
    Number((await run("docker", ["inspect", "--format", "{{.State.Pid}}", member])).stdout),
};

/** The same by a client that executes commands in it, such as `kubectl exec -i <member> --`. */
export function byClient(
  client: (member: string) => readonly [program: string, ...first: string[]],
): Pick<Inside, "run" | "talk"> {
  return {
    async run(member, ...command) {
      const [program, ...first] = client(member);
      return (await run(program, [...first, ...command], { env: process.env })).stdout.trim();
    },
    talk(member, command) {
      const [program, ...first] = client(member);
      const child = spawn(program, [...first, ...command], {
        ...{ env: process.env, stdio: ["pipe", "pipe", "ignore"] },
      });
      return Promise.resolve({
        ...{ input: child.stdin, output: child.stdout },
        ended: (then) => {
          child.stdin.on("error", then);
          for (const event of ["error", "close"]) child.on(event, then);
        },
        end: () => void child.kill("SIGKILL"),
      });
    },
  };
}
