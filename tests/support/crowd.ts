import type { Client } from "pg";
import { connect, type WriterTarget } from "./writer";

/** How many connections are opened at the same time: each is a TLS handshake and a SCRAM exchange on both sides. */
const AT_ONCE = 25;

/** Many clients that stay connected, as those of an application without a pool of its own. */
export class Crowd {
  private constructor(private readonly clients: readonly Client[]) {}

  static async gather(target: WriterTarget, size: number): Promise<Crowd> {
    const clients: Client[] = [];
    const addresses = target.addresses;
    while (clients.length < size) {
      const more = [...Array(Math.min(AT_ONCE, size - clients.length)).keys()];
      const opened = await Promise.all(
        more.map((i) => connect(target, addresses[(clients.length + i) % addresses.length] ?? "")),
      );
      clients.push(...opened);
    }
    return new Crowd(clients);
  }

  /** Every client sends the statement for its number, all at the same time. Resolves with what failed. */
  async ask(statement: (client: number) => string): Promise<readonly string[]> {
    const done = await Promise.allSettled(this.clients.map((client, i) => client.query(statement(i))));
    return done.flatMap((each) => (each.status === "rejected" ? [String(each.reason)] : []));
  }

  async disperse(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.end().catch(() => {})));
  }
}
