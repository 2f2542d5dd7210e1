"use strict";
const standIn = require("../../../scripts/stand-in.js");
module.exports = standIn(() => require("../../../node_modules/@npmcli/arborist/lib/index.js"));
