import { type Call } from "./call";
import { openCluster } from "./cluster";
import { CommandError, EXIT } from "./command-error";
import { confirmed } from "./confirm";
import { refuseAnothers } from "./ownership";
import { pulumiCli } from "./pulumi-cli";
import { clusterName, make, ownerPlace } from "./stack";
import { deleteVolumes, volumesOf } from "./volumes";

/** Deletes what `down` keeps: the data and its passwords. Asks for the cluster's name, or takes it from CONFIRM. */
export async function clean(call: Call): Promise<number> {
  const { stack } = call;
  const name = clusterName(stack);
  const place = ownerPlace(stack);
  if (place.via === "kubernetes")
    throw new CommandError(
      `on Kubernetes, clean deletes no data. To delete it, run ${make(stack, "down")}, 'kubectl delete namespace ${place.namespace}', ` +
        `'pulumi state unprotect --all --stack ${stack.name}', and ${make(stack, "down")} again. Nothing was changed.`,
    );
  const cli = pulumiCli(stack.name, stack);
  await refuseAnothers(stack, cli, "clean");
  const members = await (await openCluster(stack)).members();
  if (members.length > 0)
    throw new CommandError(
      `the stack ${stack.name} is up (${members.length} members): run ${make(stack, "down")} first`,
    );
  const volumes = await volumesOf(name);
  if (volumes.length === 0) {
    console.log(`The stack ${stack.name} has no volumes.`);
    return EXIT.done;
  }
  console.log(
    `These volumes hold all data of ${name} and will be deleted permanently:\n${volumes.map((v) => `  ${v}`).join("\n")}`,
  );
  if (!(await confirmed(call, name, "delete them"))) {
    console.log("Nothing was deleted.");
    return EXIT.wrong;
  }
  await deleteVolumes(volumes);
  const code = await cli.run(["state", "unprotect", "--all", "--yes"]);
  if (code !== 0) return code;
  console.log(`Deleted ${volumes.length} volumes.`);
  return cli.run(["destroy", "--yes"]);
}
