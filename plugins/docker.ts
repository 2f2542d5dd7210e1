import { version } from "@pulumi/docker/package.json";
import { dockerProvider } from "./docker/index";
import { serve } from "./resource-provider";

serve(version, (type, { host }) =>
  dockerProvider(type, typeof host === "string" && host !== "" ? host : undefined),
);
