// A resource that is made once the file $WAITS_FOR exists.

import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

const translated = join(__dirname, "../../../scripts/typescript.js");
const loads = `require(${JSON.stringify(translated)}).register();
exports.handler = () => require(${JSON.stringify(join(__dirname, "provider.ts"))}).provider;`;

class Waiting extends pulumi.CustomResource {
  constructor(file: string) {
    super("pulumi-nodejs:dynamic/test:File", "file", { file, __provider: loads });
  }
}
new Waiting(process.env["WAITS_FOR"] ?? "");
