import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const requireFromString = require("require-from-string") as (code: string) => NodeJS.ProcessEnv;
/** The environment that the client library reads, which runs outside Jest: what a test sees as `process.env` is a copy. */
export const clientEnvironment = requireFromString("module.exports = process.env;");

/** A server in the place of a cluster's API, on loopback, which the client library takes for the user's cluster while it runs. */
export class KubernetesApi {
  readonly server: Server = createServer();
  private readonly folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  private readonly before = clientEnvironment["KUBECONFIG"];

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
    const file = join(this.folder, "config");
    writeFileSync(file, JSON.stringify(config));
    clientEnvironment["KUBECONFIG"] = file;
  }

  stop(): void {
    if (this.before === undefined) delete clientEnvironment["KUBECONFIG"];
    else clientEnvironment["KUBECONFIG"] = this.before;
    rmSync(this.folder, { recursive: true });
    this.server.close();
  }
}
