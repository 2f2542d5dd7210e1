// Gives the SDK's server of dynamic resources a provider of this package, for what resource.ts has Pulumi keep of it.
"use strict";
const { existsSync } = require("node:fs");
const { join } = require("node:path");

// In a clone the sources are what runs.
if (existsSync(join(__dirname, "resource.ts"))) require("../../scripts/typescript.js").register();

// States of older versions name a provider by where it was then. What has moved is found by its former place, too.
const MOVED = [
  [/^platform\/docker\/turn#turnProvider$/, "platforms/docker/handover#handoverProvider"],
  [/^platform\/docker\/healthy#healthyProvider$/, "platforms/docker/container-ready#containerReadyProvider"],
  [/^platform\//, "platforms/"],
  [/^(certificates|etcd|ownership|patroni|sql)\//, "resources/$1/"],
];

exports.provider = (place) => {
  const [former, now] = MOVED.find(([pattern]) => pattern.test(place)) ?? [];
  const [file, name] = (former ? place.replace(former, now) : place).split("#");
  const provider = require(join(__dirname, "..", file))[name];
  if (provider === undefined)
    throw new Error(`components/${file} has no ${name}: the state is of another version of this package`);
  // From now on it is known when the run is interrupted, also to what waits only later.
  require("./interruption").interruption();
  // Every provider that reaches into a cluster reaches into the one that the stack's settings name.
  const { keepConfiguredCluster } = require("../reach/kubernetes/configured-cluster");
  return { ...provider, configure: keepConfiguredCluster };
};
