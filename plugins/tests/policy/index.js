// Refuses containers without a limit of memory, and says how many containers a stack has.
"use strict";
const docker = require("@pulumi/docker");
const { PolicyPack, validateResourceOfType } = require("@pulumi/policy");

new PolicyPack("of-a-test", {
  policies: [
    {
      name: "memory-limit",
      description: "A container has a limit of memory.",
      enforcementLevel: "mandatory",
      validateResource: validateResourceOfType(docker.Container, ({ memory }, args, report) => {
        if (!memory) report(`${args.name} has no limit of memory`);
      }),
    },
    {
      name: "count",
      description: "How many containers there are.",
      enforcementLevel: "advisory",
      validateStack: ({ resources }, report) =>
        report(`${resources.filter((each) => each.isType(docker.Container)).length} container`),
    },
  ],
});
