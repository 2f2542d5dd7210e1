import type { WorkloadSpec } from "../components/platforms/workload";

/** Who connects to which port, as a table in Markdown: docs/network.md. What Kubernetes' policies are made of is all that it says. */
export function networkTable(specs: readonly WorkloadSpec[]): string {
  const rows = specs.flatMap(({ name, ports }) =>
    Object.entries(ports).map(([port, { port: number, from }]) => [
      `\`${name}\``,
      `${number} (${port})`,
      from === "anybody"
        ? "anybody, clients outside among them"
        : from.map((image) => `every \`${image}\``).join(", "),
    ]),
  );
  const lines = [["Workload", "Port", "Who connects"], ["---", "---", "---"], ...rows.sort()];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}
