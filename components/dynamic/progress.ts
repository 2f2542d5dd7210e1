/**
 * Prints a line of progress; the engine shows what a provider prints.
 *
 * If the engine was killed, nothing reads the output or records the results any more, so the provider's process exits. Otherwise the SDK's
 * process (cmd/dynamic-provider) would print the error of each print, fail again, and loop forever, using a CPU core and ever more memory.
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
