import * as fs from "node:fs";
import * as path from "node:path";
import { CommandError, UsageError } from "./command-error";
import { pulumiCli } from "./pulumi-cli";
import { make, type Stack } from "./stack";

/** What the stack's program exports. */
export interface StackOutputs {
  readonly endpoints: {
    readonly write: readonly string[];
    readonly read: readonly string[];
    readonly statistics: readonly string[];
  };
  readonly database: string;
  /** `off`, or the Citus version. */
  readonly citus: string;
  /** Number of shards by worker group, if the database is distributed. */
  readonly shards?: Readonly<Record<string, number>>;
  /** The files that external workers need, by group and file name. */
  readonly externalWorkers?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly certificateAuthority: string;
  readonly certificatesExpire: Readonly<Record<string, string>>;
  readonly passwords: Readonly<Record<string, string>>;
}

export async function stackOutputs(stack: Stack): Promise<StackOutputs> {
  const outputs = await pulumiCli(stack.name, stack).outputs();
  if (!outputs["endpoints"])
    throw new CommandError(
      `the state of the stack ${stack.name} contains no endpoints: run ${make(stack, "up")}`,
    );
  return outputs as unknown as StackOutputs;
}

/** The password of a role, or an error that lists the roles. */
export function passwordOf({ passwords }: StackOutputs, role: string): string {
  const found = passwords[role];
  if (found !== undefined) return found;
  throw new UsageError(`ROLE is "${role}": it must be one of ${Object.keys(passwords).join(", ")}`);
}

/** The CA certificate for clients on this machine. */
const authorityFile = (stack: Stack): string => path.join(stack.state, stack.name, "ca.crt");

/** Writes the CA certificate for clients on this machine and returns its path. */
export function writeAuthority(stack: Stack, { certificateAuthority }: StackOutputs): string {
  const file = authorityFile(stack);
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.writeFileSync(file, certificateAuthority);
  return file;
}

/** A libpq connection string that tries the entries one after another. */
export function connectionString(
  stack: Stack,
  addresses: readonly string[],
  database: string,
  role: string,
): string {
  const hosts = addresses.map((address) => address.split(":"));
  return [
    `host=${hosts.map(([host]) => host).join(",")}`,
    `port=${hosts.map(([, port]) => port).join(",")}`,
    `dbname=${database}`,
    `user=${role}`,
    "sslmode=verify-full",
    `sslrootcert=${path.relative(process.cwd(), authorityFile(stack))}`,
  ].join(" ");
}

/** How clients connect, as text. */
export function endpointLines(stack: Stack, outputs: StackOutputs): string {
  const at = stack.name === "dev" ? "" : ` STACK=${stack.name}`;
  const line = (role: string, addresses: readonly string[]): string =>
    `  PGPASSWORD=$(make -s password ROLE=${role}${at}) psql "${connectionString(stack, addresses, outputs.database, role)}"`;
  return `
Write endpoint   ${outputs.endpoints.write.join(", ")}
${line("app_readwrite", outputs.endpoints.write)}
Read endpoint    ${outputs.endpoints.read.join(", ")}
${line("app_readonly", outputs.endpoints.read)}
Statistics       ${outputs.endpoints.statistics.map((address) => `http://${address}/`).join(", ")}
Superuser        make psql${at}          All commands   make help
`;
}
