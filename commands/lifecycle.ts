import type { Call } from "./call";
import { EXIT } from "./command-error";
import { endpointLines, stackOutputs, writeAuthority } from "./outputs";
import { refuseAnothers } from "./ownership";
import { pulumiCli } from "./pulumi-cli";

export async function up({ stack }: Call): Promise<number> {
  const code = await pulumiCli(stack.name, stack).run(["up", "--yes", "--refresh", "--suppress-outputs"]);
  if (code !== 0) return code;
  const outputs = await stackOutputs(stack);
  writeAuthority(stack, outputs);
  console.log(endpointLines(stack, outputs));
  return EXIT.done;
}

export async function down({ stack }: Call): Promise<number> {
  const cli = pulumiCli(stack.name, stack);
  await refuseAnothers(stack, cli, "down");
  return cli.run(["destroy", "--yes", "--exclude-protected"]);
}

export const preview = ({ stack }: Call): Promise<number> =>
  pulumiCli(stack.name, stack).run(["preview", "--diff"]);
