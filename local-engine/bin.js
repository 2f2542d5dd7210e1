#!/usr/bin/env node
// Launcher. The engine is TypeScript without a build step: each file is translated when it is first needed, and the
// translation is kept by the file's content. Loading the compiler every time would cost more than the rest of the start.
"use strict";
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { enableCompileCache } = require("node:module");
const { join } = require("node:path");

const cache = join(__dirname, "..", "node_modules", ".cache", "local-engine");
enableCompileCache?.(join(cache, "compiled"));

function translate(source, filename) {
  const ts = require("typescript");
  const { ModuleKind, ScriptTarget } = ts;
  const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true };
  return ts.transpileModule(source, { fileName: filename, compilerOptions }).outputText;
}

function keep(file, text) {
  try {
    mkdirSync(cache, { recursive: true });
    // Two runs may do this at once; neither may read half a file.
    writeFileSync(`${file}.${process.pid}`, text);
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // A folder that cannot be written to costs time, nothing else.
  }
}

require.extensions[".ts"] = (module, filename) => {
  const source = readFileSync(filename, "utf8");
  const file = join(cache, `${createHash("sha256").update(source).digest("hex").slice(0, 40)}.js`);
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    text = translate(source, filename);
    keep(file, text);
  }
  module._compile(text, filename);
};

require("./main.ts");
