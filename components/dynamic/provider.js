// Gives the SDK's server of dynamic resources a provider of this package, for what resource.ts has Pulumi keep of it.
"use strict";
const { existsSync } = require("node:fs");
const { join } = require("node:path");

// In a clone the sources are what runs.
if (existsSync(join(__dirname, "resource.ts"))) require("../../scripts/typescript.js").register();

exports.provider = (place) => {
  const [file, name] = place.split("#");
  const provider = require(join(__dirname, "..", file))[name];
  if (provider === undefined)
    throw new Error(`components/${file} has no ${name}: the state is of another version of this package`);
  // From now on it is known when the run is interrupted, also to what waits only later.
  require("./interruption").interruption();
  // Every provider that reaches into a cluster reaches into the one that is meant.
  const { keepMeantCluster } = require("../platform/meant-cluster");
  return { ...provider, configure: keepMeantCluster };
};
