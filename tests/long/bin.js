// Starts the long trials as they stand.
"use strict";
require("../../scripts/typescript.js").register();
require("./main.ts");
