/**
 * How the machine that runs `pulumi up` reaches a port inside the cluster. Plain data, so that it can be an input of a dynamic
 * resource and be stored in the state; `openTunnel` turns it into a local address.
 */
export type Reach =
  /** Through the Docker engine: a relay (`socat`) runs in the container, so no port needs to be published. */
  | { readonly via: "docker"; readonly container: string; readonly port: number }
  /** Through the Kubernetes API server's port-forward, or directly to the pod if `address` is set. */
  | {
      readonly via: "kubernetes";
      readonly namespace: string;
      readonly pod: string;
      readonly port: number;
      readonly address?: string;
    }
  /** Directly, for servers outside the stack and for tests. */
  | { readonly via: "tcp"; readonly host: string; readonly port: number };
