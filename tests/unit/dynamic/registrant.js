// Runs as the program of a stack does, and registers the provider of the package that it is told, its sources loaded anew.
"use strict";
require("../../../scripts/lazy-modules.js");
require("../../../scripts/typescript.js").register();
process.on("message", (root) => {
  for (const file of Object.keys(require.cache))
    if (!file.includes("node_modules")) delete require.cache[file];
  const { DynamicResource } = require(`${root}/components/dynamic/resource.ts`);
  const { thingProvider } = require(`${root}/components/thing.ts`);
  DynamicResource.text(thingProvider, "test:Thing").then((text) => process.send(text));
});
