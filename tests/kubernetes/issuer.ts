import { spawnSync } from "node:child_process";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { capture } from "../../commands/programs";
import { openTunnel } from "../../components/reach/tunnel";
import { kubectl } from "./kubectl";
import { canHave, type KubernetesStack, ours, TOOL, withKubernetes } from "./cluster";

/** The cluster of KUBECONFIG has cert-manager, or the one of this machine can be given it. */
export const withCertManager =
  withKubernetes &&
  (ours
    ? canHave("cert-manager")
    : spawnSync("kubectl", ["get", "customresourcedefinition", "certificates.cert-manager.io"]).status === 0);
if (withKubernetes && !withCertManager)
  console.log("skipped: certificates by an issuer need cert-manager in the cluster, or Go to build it");

export const provideCertManager = async (): Promise<void> => {
  if (ours) await capture(TOOL, ["cert-manager"]);
};

/** An issuer of the stack's namespace that signs with `authority`, under that name. */
export async function makeIssuer(
  stack: KubernetesStack,
  name: string,
  authority: { readonly certificatePem: string; readonly privateKeyPem: string },
): Promise<void> {
  const metadata = { name, namespace: stack.namespace };
  const items = [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata,
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": authority.certificatePem, "tls.key": authority.privateKeyPem },
    },
    { apiVersion: "cert-manager.io/v1", kind: "Issuer", metadata, spec: { ca: { secretName: name } } },
  ];
  await kubectl(["apply", "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

/** What `cmctl renew` does: marks a certificate as one that is to be issued anew. */
export const renew = (stack: KubernetesStack, certificate: string): Promise<string> =>
  stack.kubectl(
    ...["patch", "certificate", certificate, "--subresource=status", "--type=json", "--patch"],
    JSON.stringify([
      {
        op: "add",
        path: "/status/conditions/-",
        value: {
          type: "Issuing",
          status: "True",
          reason: "ManuallyTriggered",
          message: "a test asks for it",
          lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
        },
      },
    ]),
  );

export interface Server {
  readonly workload: string;
  readonly ordinal: number;
  readonly port: number;
  /** PostgreSQL's protocol asks for TLS first. */
  readonly asks: boolean;
}

/** `SSLRequest` of PostgreSQL's protocol: https://www.postgresql.org/docs/17/protocol-message-formats.html */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** The serial number of the certificate that a member shows, verified in full under the name that the other members know it by. */
export async function serialOf(stack: KubernetesStack, server: Server, ca: string): Promise<string> {
  const { workload, ordinal, port, asks } = server;
  const pod = stack.member(workload, ordinal);
  const reach = await openTunnel({ via: "kubernetes", namespace: stack.namespace, pod, port });
  try {
    return await new Promise<string>((resolve, reject) => {
      const socket = connectTcp({ host: reach.host, port: reach.port });
      const failed = (error: Error): void =>
        reject(new Error(`${pod}:${port}: ${error.message} ${reach.lastProblem() ?? ""}`));
      const handshake = (): void => {
        const servername = stack.addressOf(workload, ordinal);
        const secured: TLSSocket = connectTls({ socket, servername, ca }, () => {
          resolve(secured.getPeerCertificate().serialNumber);
          secured.destroy();
        });
        secured.on("error", failed);
      };
      socket.on("error", failed);
      socket.once("close", () => failed(new Error("closed")));
      if (!asks) return void socket.once("connect", handshake);
      socket.once("connect", () => socket.write(SSL_REQUEST));
      socket.once("data", (answer: Buffer) => {
        if (answer.toString() === "S") handshake();
        else failed(new Error(`answers ${JSON.stringify(answer.toString())} to a request for TLS`));
      });
    });
  } finally {
    await reach.close();
  }
}
