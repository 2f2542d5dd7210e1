// Prints the providers' texts. A file and no `node -e`, which makes `exports` a global that the serialiser leaves out.
"use strict";
require("../../scripts/lazy-modules.js");
require("../../scripts/typescript.js").register();
require("./providers.ts")
  .serialiseProviders()
  .then((texts) => process.stdout.write(JSON.stringify(texts)));
