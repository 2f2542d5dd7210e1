// TypeScript without a build step: each file is translated when it is first needed, and the translation is kept by the file's
// content. Loading the compiler and translating everything again took a third of every preview. Types are checked by `make test`.
"use strict";
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { enableCompileCache } = require("node:module");
const { basename, join } = require("node:path");
const { version } = require("typescript/package.json");

const cache = join(__dirname, "..", "node_modules", ".cache", "typescript");

const options = (ts) => ({
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
  esModuleInterop: true,
  sourceMap: true,
  // Nobody reads them there.
  removeComments: true,
});

/** Of all that a translation follows from. */
const keyOf = (source, fileName) =>
  createHash("sha256")
    .update([version, String(options), basename(fileName), source].join("\0"))
    .digest("hex");

/** JavaScript, its source map, and what is wrong with the source. */
function translate(source, fileName) {
  const kept = join(cache, `${keyOf(source, fileName).slice(0, 40)}.json`);
  try {
    return JSON.parse(readFileSync(kept, "utf8"));
  } catch {
    const ts = require("typescript");
    const { outputText, sourceMapText, diagnostics } = ts.transpileModule(source, {
      fileName,
      reportDiagnostics: true,
      compilerOptions: options(ts),
    });
    const result = { outputText, sourceMapText };
    if (diagnostics.length > 0) return { ...result, diagnostics };
    keep(kept, JSON.stringify(result));
    return result;
  }
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

function translateOrThrow(source, fileName) {
  const { outputText, sourceMapText, diagnostics = [] } = translate(source, fileName);
  if (diagnostics.length > 0) {
    const { flattenDiagnosticMessageText } = require("typescript");
    throw new SyntaxError(`${fileName}: ${flattenDiagnosticMessageText(diagnostics[0].messageText, "\n")}`);
  }
  return { code: outputText, map: sourceMapText };
}

/** For jest. */
exports.process = translateOrThrow;
/** By Jest's own key a translation with other options would be taken for this one. */
exports.getCacheKey = (source, fileName) =>
  createHash("sha256")
    .update(`${keyOf(source, fileName)}\0${fileName}`)
    .digest("hex");

/** For the program and the commands: `require` takes TypeScript from here on. NODE_OPTIONS=--enable-source-maps maps stack traces. */
exports.register = () => {
  enableCompileCache?.(join(cache, "compiled"));
  require.extensions[".ts"] = (module, fileName) => {
    const { code, map } = translateOrThrow(readFileSync(fileName, "utf8"), fileName);
    const inline = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString("base64")}`;
    module._compile(process.sourceMapsEnabled ? `${code}\n${inline}` : code, fileName);
  };
};
