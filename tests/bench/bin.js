// Starts the measurements as they stand.
"use strict";
require("../../scripts/typescript.js").register();
require("./main.ts");
