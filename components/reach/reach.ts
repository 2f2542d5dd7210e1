/**
 * How the machine that runs `pulumi up` reaches a port inside the cluster. Plain data, so that it can be an input of a dynamic
 * resource and lie in the state; `openTunnel` makes a local TCP listener of it.
 */
export type Reach =
  /** Through the Docker engine: a relay (`socat`) is executed in the container, so no port needs to be published. */
  | { readonly via: "docker"; readonly container: string; readonly port: number }
  /** Through the Kubernetes API server's port-forward, or straight to the pod where an `address` is given that is reached from here. */
  | {
      readonly via: "kubernetes";
      readonly namespace: string;
      readonly pod: string;
      readonly port: number;
      readonly address?: string;
    }
  /** Straight, for servers outside the stack and for tests. */
  | { readonly via: "tcp"; readonly host: string; readonly port: number };
