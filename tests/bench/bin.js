// Starts the measurements as they stand, without a build step and without the type checker.
"use strict";
const { enableCompileCache } = require("node:module");
enableCompileCache?.();
require("ts-node").register({
  transpileOnly: true,
  skipProject: true,
  compilerOptions: { module: "node16", moduleResolution: "node16", target: "es2022", esModuleInterop: true },
});
require("./main.ts");
