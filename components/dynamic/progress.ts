/**
 * Shows a line of progress, as the engine shows what a provider prints.
 *
 * When the engine was killed, nobody reads any more, and nobody will record what is done: the provider's process ends. Left to itself, the
 * SDK's (cmd/dynamic-provider) prints the error of each print, fails at that, and goes on so for ever, with a core and ever more memory.
 */
export function printProgress(line: string): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.listeners("error").some((listener) => listener.name === "endWithReader")) continue;
    stream.on("error", function endWithReader() {
      process.exit(1);
    });
  }
  console.log(line);
}
