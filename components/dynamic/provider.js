// Returns a provider of this package to the SDK's server of dynamic providers; resource.ts stores the call in the state.
"use strict";
const { existsSync } = require("node:fs");
const { join } = require("node:path");

// A clone runs from its TypeScript sources.
if (existsSync(join(__dirname, "resource.ts"))) require("../../scripts/typescript.js").register();

// States of older versions contain the location that a provider had then. A moved provider is also found by its former location.
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
    throw new Error(
      `components/${file} does not export ${name}: the state was written by a different version of this package; use that version or a newer one`,
    );
  // Subscribe now, so that an interruption is also known to waits that start later.
  require("./interruption").interruption();
  // Every provider uses the Kubernetes cluster that the stack's settings select.
  const { keepConfiguredCluster } = require("../reach/kubernetes/configured-cluster");
  return { ...provider, configure: keepConfiguredCluster };
};
