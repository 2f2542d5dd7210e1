// start.js <plugin>: the plugin of that name in this folder. What it loads is translated once and kept, as for the program.
"use strict";
require("../scripts/lazy-modules.js");
require("../scripts/typescript.js").register();
const [plugin] = process.argv.splice(2, 1);
require(`./${plugin}.ts`);
