// As stacks/program.js does it.
"use strict";
require("../../../scripts/typescript.js").register();
module.exports = require("./index.ts");
