// Starts the operator commands from their TypeScript source.
"use strict";
require("../scripts/typescript.js").register();
require("./main.ts");
