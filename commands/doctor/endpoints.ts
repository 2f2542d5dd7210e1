import * as net from "node:net";
import * as tls from "node:tls";
import { messageOf } from "../../components/dynamic/reason";
import { bad, type Finding, good } from "../../components/reach/finding";
import { openInTime } from "../../components/reach/open-in-time";
import { PORTS } from "../../config-files/ports";
import { type Cluster, isRunning } from "../cluster";
import type { StackOutputs } from "../outputs";

const KINDS = ["write", "read"] as const;

/**
 * Opens a TLS connection to every endpoint; `make psql ROLE=...` tests a role's login. Endpoints that this machine cannot reach, such as those
 * inside a Kubernetes cluster, are checked through a tunnel to each HAProxy, against the endpoint's name in the certificate.
 */
export async function checkEndpoints(cluster: Cluster, outputs: StackOutputs): Promise<readonly Finding[]> {
  const ca = outputs.certificateAuthority;
  if (cluster.reach.membersReachEntry)
    return Promise.all(
      KINDS.flatMap((kind) =>
        outputs.endpoints[kind].map((address) => {
          const [host = "", port = ""] = address.split(":");
          return judged(`${kind} ${address}`, tlsLogin({ host, port: Number(port) }, host, ca));
        }),
      ),
    );
  const entries = (await cluster.members("haproxy")).filter(isRunning);
  if (entries.length === 0) return [bad("entry", "no HAProxy is running", "docs/runbooks/endpoint-down.md")];
  return Promise.all(
    entries.flatMap(({ name }) =>
      KINDS.map(async (kind) => {
        const served = outputs.endpoints[kind].at(-1)?.split(":")[0] ?? "";
        const login = async (): Promise<void> => {
          const tunnel = await openInTime(cluster.reach.reach(name, PORTS[kind]), 15_000);
          try {
            await tlsLogin(tunnel, served, ca);
          } finally {
            await tunnel.close();
          }
        };
        return judged(`${kind} ${name}`, login());
      }),
    ),
  );
}

const judged = (part: string, login: Promise<void>): Promise<Finding> =>
  login.then(
    () => good(part, "answers, certificate verified"),
    (error: unknown) => bad(part, messageOf(error), "docs/runbooks/endpoint-down.md"),
  );

/** Sends PostgreSQL's SSLRequest, then does a handshake in which the certificate must be valid for `name`. */
function tlsLogin(
  at: { readonly host: string; readonly port: number },
  name: string,
  ca: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: at.host, port: at.port });
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
      const secure = tls.connect(
        {
          ...{ socket, ca },
          // SNI must not be an address (RFC 6066), so the name is checked explicitly.
          servername: net.isIP(name) === 0 ? name : "",
          checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(name, certificate),
        },
        () => {
          socket.removeAllListeners("close");
          secure.destroy();
          resolve();
        },
      );
      secure.once("error", fail);
    });
  });
}
