// Loaded into every process that the engine starts. The engine holds the other end of its standard input: when the
// engine goes, however it goes, the input ends, and so does the process. Otherwise a killed engine would leave
// programs and providers behind that go on creating things nobody records.
"use strict";
process.stdin.on("end", () => process.exit(130)).on("error", () => process.exit(130));
process.stdin.resume();
// Waiting for that end must not itself keep the process alive.
process.stdin.unref?.();
