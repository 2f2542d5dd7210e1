import type * as pulumi from "@pulumi/pulumi";
import type { SessionMember } from "./session";

/** How SQL resources connect to PostgreSQL, and the credentials. */
export interface SessionArgs {
  /** All members of the cluster; the session finds the primary among them. */
  readonly members: readonly SessionMember[];
  readonly user: string;
  readonly password: pulumi.Input<string>;
  /** The database to connect to. */
  readonly database: string;
  /** PEM of the authority that signed the members' certificates. */
  readonly ca: pulumi.Input<string>;
  /** The password is being changed, so a rejected one may be accepted a little later. Default false. */
  readonly settling?: pulumi.Input<true | undefined>;
}

/** Separates the password, so that only it is a secret and previews show the rest. */
export function splitPassword(args: SessionArgs) {
  const { password, ...target } = args;
  return { target, password };
}
