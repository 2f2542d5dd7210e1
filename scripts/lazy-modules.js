// Packages that the SDK loads in every process and needs only to serialise providers, as ours are not: the compiler, and npm's
// dependency tree, 500 modules together and a second of a preview. Here each is loaded when something of it is first used.
"use strict";
const Module = require("node:module");
const { join } = require("node:path");
const standIn = require("./stand-in.js");

const sdk = Module.createRequire(join(__dirname, "..", "node_modules", "@pulumi", "pulumi", "package.json"));

for (const name of ["typescript", "@npmcli/arborist"]) {
  const file = sdk.resolve(name);
  if (file in require.cache) continue;
  const placed = new Module(file);
  placed.filename = file;
  placed.loaded = true;
  placed.exports = standIn(() => {
    delete require.cache[file];
    return require(file);
  });
  require.cache[file] = placed;
}
