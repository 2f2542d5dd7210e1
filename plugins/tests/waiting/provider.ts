import { existsSync } from "node:fs";
import type * as pulumi from "@pulumi/pulumi";
import { waitUntil } from "../../../components/dynamic/wait-until";

/** Makes what is there once a file is. "a mistake" instead of a name makes it fail as a wrong program does. */
export const provider: pulumi.dynamic.ResourceProvider<{ file: string }> = {
  create: ({ file }) =>
    waitUntil({ what: "the file is there", deadlineSeconds: 600 }, () => {
      if (file === "a mistake") return (undefined as unknown as { bind(): Promise<never> }).bind();
      return Promise.resolve(
        existsSync(file)
          ? { done: true as const, value: { id: "file", outs: { file } } }
          : { done: false as const, why: "it is not" },
      );
    }),
};
