/**
 * Defaults of libraries whose background workers must find the application's database and connect to it; a user may override each.
 * @param libraries the preloaded libraries
 */
export function libraryDefaults(
  libraries: readonly string[],
  database: string | undefined,
): Record<string, string> {
  const has = (library: string): boolean => libraries.includes(library);
  return {
    // By default each job logs in over the network, which requires a password or a certificate. A background worker is already connected.
    // https://github.com/citusdata/pg_cron#readme
    ...(has("pg_cron") && {
      "cron.use_background_workers": "on",
      ...(database !== undefined && { "cron.database_name": database }),
    }),
    ...(has("pg_partman_bgw") && database !== undefined && { "pg_partman_bgw.dbname": database }),
  };
}
