import { version } from "@pulumi/random/package.json";
import { randomProvider } from "../local-engine/providers/random";
import { serve } from "./resource-provider";

serve(version, (type) => randomProvider(type));
