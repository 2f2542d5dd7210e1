import type * as pulumi from "@pulumi/pulumi";
import type { SessionMember } from "./session";

/** Where SQL resources connect to, and as whom. */
export interface SessionArgs {
  /** Every member of the cluster; the primary is found among them. */
  readonly members: readonly SessionMember[];
  readonly user: string;
  readonly password: pulumi.Input<string>;
  /** The database to connect to. */
  readonly database: string;
  /** PEM of the authority that signed the members' certificates. */
  readonly ca: pulumi.Input<string>;
  /** The password is being set anew, so that one that is refused may be right a little later. Default false. */
  readonly settling?: pulumi.Input<true | undefined>;
}

/** The password apart from the rest, so that it alone is a secret and a preview shows the rest. */
export function splitPassword(args: SessionArgs) {
  const { password, ...target } = args;
  return { target, password };
}
