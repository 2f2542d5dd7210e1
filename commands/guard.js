// Ends a run whose command was killed (see runs.ts). Started like the commands.
"use strict";
require("../scripts/typescript.js").register();
require("./guard.ts");
