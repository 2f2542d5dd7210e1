// First of all, says it where Node.js is too old for this project: else the first thing that it lacks fails, in words that name neither.
"use strict";
const { engines } = require("../package.json");

const [, ...needed] = /^>=(\d+)\.(\d+)$/.exec(engines.node).map(Number);
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < needed[0] || (major === needed[0] && minor < needed[1]))
  throw new Error(
    `this is Node.js ${process.versions.node} (${process.execPath}), and postgres-cluster needs ${needed.join(".")} or newer: put one on PATH ` +
      "before others, or use make, which brings its own",
  );
