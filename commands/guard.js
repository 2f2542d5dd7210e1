// Ends a run whose command was killed (see runs.ts). Starts as the commands do.
"use strict";
require("../scripts/typescript.js").register();
require("./guard.ts");
