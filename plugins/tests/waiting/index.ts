// A resource that is made once the file $WAITS_FOR exists. "a mistake" instead of a name makes its provider fail as a wrong program does.

import type * as pulumi from "@pulumi/pulumi";
import { DynamicResource } from "../../../components/dynamic/resource";
import { waitUntil } from "../../../components/dynamic/wait-until";

const provider: pulumi.dynamic.ResourceProvider = {
  create: ({ file }: { file: string }) =>
    waitUntil({ what: "the file is there", deadlineSeconds: 600 }, () => {
      const { existsSync } = require("node:fs") as typeof import("node:fs");
      if (file === "a mistake") return (undefined as unknown as { bind(): Promise<never> }).bind();
      return Promise.resolve(
        existsSync(file)
          ? { done: true as const, value: { id: "file", outs: { file } } }
          : { done: false as const, why: "it is not" },
      );
    }),
};

new DynamicResource(provider, "file", { file: process.env["WAITS_FOR"] ?? "" }, {}, "test", "File");
