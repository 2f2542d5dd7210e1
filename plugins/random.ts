import { version } from "@pulumi/random/package.json";
import { randomProvider } from "./random/provider";
import { serve } from "./resource-provider";

serve(version, (type) => randomProvider(type));
