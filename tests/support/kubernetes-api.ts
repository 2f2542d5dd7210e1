import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/** A server in the place of a cluster's API, on loopback, and programs that take it for theirs. */
export class KubernetesApi {
  readonly server: Server = createServer();
  private readonly folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  private process: ChildProcess | undefined;

  async start(): Promise<void> {
    await new Promise<void>((listening) => this.server.listen(0, "127.0.0.1", listening));
    const { port } = this.server.address() as AddressInfo;
    const cluster = { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true };
    const config = {
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: {} }],
    };
    writeFileSync(join(this.folder, "config"), JSON.stringify(config));
  }

  stop(): void {
    this.process?.kill();
    rmSync(this.folder, { recursive: true });
    this.server.close();
  }

  /**
   * What `body` returns, where `tested` is the function, serialised as for a provider. In a process of its own, as the provider server is
   * one: jest cannot load the client, which is an ES module. One after the other, since the client takes seconds to load.
   */
  async run<T>(tested: (...args: never[]) => unknown, body: string): Promise<T> {
    const { text } = await pulumi.runtime.serializeFunction(() => ({ tested }));
    this.process ??= fork(join(__dirname, "evaluate.js"), {
      env: { ...process.env, KUBECONFIG: join(this.folder, "config") },
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.process.send({ text, body });
    const [answer] = (await once(this.process, "message")) as [{ value?: T; error?: string }];
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value as T;
  }
}
