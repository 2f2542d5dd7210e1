// Starts the operator commands as they stand, without a build step and without the type checker.
"use strict";
const { enableCompileCache } = require("node:module");
// Most of a short command's time is the parsing of the TypeScript compiler; the cache halves it.
enableCompileCache?.();
require("ts-node").register({
  transpileOnly: true,
  skipProject: true,
  compilerOptions: { module: "node16", moduleResolution: "node16", target: "es2022", esModuleInterop: true },
});
require("./main.ts");
