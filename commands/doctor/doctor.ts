import { messageOf } from "../../components/dynamic/reason";
import { bad, type Finding } from "../../components/reach/finding";
import { type Call, printJson } from "../call";
import { type Cluster, openCluster } from "../cluster";
import { EXIT } from "../command-error";
import { groupsOf } from "../groups";
import { stackOutputs } from "../outputs";
import { make } from "../stack";
import { checkCertificates } from "./certificates";
import { checkDisks } from "./disk";
import { checkEndpoints } from "./endpoints";
import { checkEtcd } from "./etcd";
import { checkGroup } from "./groups";
import { checkGuests } from "./guests";
import { checkMember, checkWatchdogs, judgedMembers } from "./members";
import { checkNodes } from "./nodes";

/** Checks every part and reports what is wrong and how to fix it. Exit code 1 if anything is wrong, 2 if the platform cannot be reached. */
export async function doctor(call: Call): Promise<number> {
  const findings: Finding[] = [];
  const cluster = await openCluster(call.stack);
  for await (const found of checks(cluster)) {
    findings.push(...found);
    if (!call.json) for (const finding of found) console.log(findingLine(finding));
  }
  const wrong = findings.filter((finding) => !finding.ok).length;
  const unreachable = findings[0]?.ok === false;
  if (call.json) printJson({ cluster: cluster.name, ok: wrong === 0, findings });
  else
    console.log(
      wrong === 0 ? "\nNothing is wrong." : `\n${wrong} of ${findings.length} checks found something wrong.`,
    );
  if (unreachable) return EXIT.impossible;
  return wrong === 0 ? EXIT.done : EXIT.wrong;
}

export const findingLine = ({ ok, part, seen, remedy }: Finding): string =>
  `${ok ? "ok     " : "WRONG  "} ${part.padEnd(22)} ${seen}${remedy ? `\n${" ".repeat(31)}-> ${remedy}` : ""}`;

/** Yields findings as they are made. The first is about the platform, without which nothing else can be checked. */
async function* checks(cluster: Cluster): AsyncGenerator<readonly Finding[]> {
  const { stack } = cluster;
  const platform = await cluster.reach.health();
  yield platform;
  if (platform[0]?.ok === false) return;
  const all = await judgedMembers(cluster);
  if (all.length === 0) {
    yield [bad("stack", `${stack.name} has no members`, `start it with ${make(stack, "up")}`)];
    return;
  }
  yield all.map((member) => checkMember(cluster, member));
  yield [await checkEtcd(cluster, all)];
  const databases = groupsOf(all);
  if (databases.length === 0)
    yield [bad("database", "it has no members", `start them with ${make(stack, "up")}`)];
  for (const group of databases) yield await checkGroup(cluster, group, all);
  yield await checkWatchdogs(cluster, databases, all);
  yield await checkNodes(cluster, databases, all);
  const outputs = await stackOutputs(stack).catch((error: unknown) => messageOf(error));
  if (typeof outputs === "string")
    yield [bad("outputs", outputs, `run ${make(stack, "up")} until it succeeds`)];
  else {
    yield await checkEndpoints(cluster, outputs);
    yield checkCertificates(stack, outputs.certificatesExpire, new Date());
  }
  yield await checkDisks(cluster, all);
  yield await checkGuests(cluster, all);
}
