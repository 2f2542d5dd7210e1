// An ES module: Node.js can require it, Jest cannot. What is required from a string runs outside Jest.
"use strict";
const requireFromString = require("require-from-string");
module.exports = requireFromString('module.exports = require("@kubernetes/client-node");', __filename);
