import * as pulumi from "@pulumi/pulumi";
import { refuse } from "../components/problems";
import { cluster } from "./cluster";
import { environmentOf } from "./environment";
import { problemsOf } from "./preflight";
import { readSettings, withDefaults } from "./settings";

/** The program of every stack: reads the settings, refuses what cannot work, picks the platform, declares the cluster. */
export = async () => {
  const stack = pulumi.getStack();
  const written = readSettings(pulumi.runtime.allConfig(), pulumi.getProject(), stack);
  const environment = environmentOf(written.settings);
  const settings = withDefaults(written.settings, environment.defaults);
  refuse(`Pulumi.${stack}.yaml`, [...written.problems, ...(await problemsOf(settings, environment))]);

  const { certificates, database, proxy } = cluster(settings, environment.platform(settings));
  return {
    endpoints: proxy.endpoints,
    database: database.resolved.database,
    replication: database.replication.seen,
    certificateAuthority: certificates.authority.certificatePem,
    certificatesExpire: certificates.expires,
    passwords: pulumi.secret(database.passwords),
  };
};
