import * as pulumi from "@pulumi/pulumi";
import { refuse } from "../components/settings/problems";
import { citusOutput } from "./citus";
import { cluster } from "./cluster";
import { dev } from "./dev";
import { problemsOf } from "./preflight";
import { prod } from "./prod";
import { readSettings, withDefaults } from "./settings";

/** The program of every stack: reads the settings, rejects invalid ones, chooses the platform, declares the cluster. */
export = async () => {
  const stack = pulumi.getStack();
  const written = readSettings(pulumi.runtime.allConfig(), pulumi.getProject(), stack);
  const environment = { dev, prod }[written.settings.environment];
  const settings = withDefaults(written.settings, environment.defaults);
  const citus = await environment.citus(settings);
  refuse(`Pulumi.${stack}.yaml`, [
    ...written.problems,
    ...citus.problems,
    ...(await problemsOf(settings, environment, citus.distributed)),
  ]);
  if (!citus.distributed) void pulumi.log.info(`Without Citus: ${citus.why}.`);

  const { certificates, database, workers, proxy } = cluster(
    settings,
    await environment.platform(settings, citus),
    citus.distributed,
  );
  return {
    endpoints: proxy.endpoints,
    database: database.database,
    citus: citusOutput(citus),
    replication: database.replication.seen,
    ...(workers && { shards: workers.registration.shards }),
    ...(workers?.resolved.external.length && { externalWorkers: pulumi.secret(workers.external) }),
    certificateAuthority: certificates.authority.certificatePem,
    certificatesExpire: certificates.expires,
    passwords: pulumi.secret(database.passwords.ofRoles),
  };
};
