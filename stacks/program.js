// What `pulumi up` runs: stacks/index.ts, translated as for the commands and the tests.
"use strict";
require("../scripts/node-version.js");
require("../scripts/lazy-modules.js");
require("../scripts/typescript.js").register();
// The SDK takes a stack trace for each of its thousands of promises. Its runner, and ts-node, map each of them to the source, which took
// a fifth of a preview. Node maps those that are shown, when it is asked to (NODE_OPTIONS=--enable-source-maps).
Error.prepareStackTrace = undefined;
module.exports = require("./index.ts");
