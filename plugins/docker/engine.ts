// The connection to the Docker engine.

import Docker from "dockerode";

export type { Docker };

const clients = new Map<string, Docker>();

export function dockerAt(host: string | undefined): Docker {
  const address = host ?? process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
  let client = clients.get(address);
  if (client === undefined) {
    client = connect(address);
    clients.set(address, client);
  }
  return client;
}

function connect(address: string): Docker {
  if (address.startsWith("unix://")) return new Docker({ socketPath: address.slice("unix://".length) });
  const url = new URL(address);
  if (url.protocol === "ssh:") {
    return new Docker({ protocol: "ssh", host: url.hostname, port: url.port || 22, username: url.username });
  }
  // With TLS the client reads the certificates where DOCKER_CERT_PATH says, as the docker command does.
  if (address === process.env.DOCKER_HOST && process.env.DOCKER_TLS_VERIFY) return new Docker();
  return new Docker({
    protocol: url.protocol === "https:" ? "https" : "http",
    host: url.hostname,
    port: url.port || 2375,
  });
}

/** Says what to do when nothing answers; passes every other error on. */
export function explain(error: unknown, host: string | undefined): Error {
  const { code } = error as NodeJS.ErrnoException;
  const address = host ?? process.env.DOCKER_HOST;
  const where =
    address === undefined ? "/var/run/docker.sock (DOCKER_HOST is not set)" : `${address} (DOCKER_HOST)`;
  if (code === "EACCES") {
    return new Error(
      `no permission for the Docker engine at ${where}: join the group docker, or run as root`,
    );
  }
  if (
    code === "ENOENT" ||
    code === "ECONNREFUSED" ||
    code === "ENOTFOUND" ||
    code === "EHOSTUNREACH" ||
    code === "ETIMEDOUT"
  ) {
    return new Error(
      `the Docker engine does not answer at ${where}: start it (systemctl start docker, or dockerd), or set DOCKER_HOST to where it runs`,
    );
  }
  return error as Error;
}

export function isStatus(error: unknown, ...codes: number[]): boolean {
  const { statusCode } = error as { statusCode?: number };
  return statusCode !== undefined && codes.includes(statusCode);
}

/** The engine's own words without the HTTP around them. */
export function reason(error: unknown): string {
  const { json, message } = error as { json?: { message?: string }; message?: string };
  return json?.message ?? message ?? String(error);
}
