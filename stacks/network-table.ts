import type { WorkloadSpec } from "../components/platforms/workload";

/** Which workload connects to which port, as a Markdown table for docs/network.md. Made from the same data as the network policies. */
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
