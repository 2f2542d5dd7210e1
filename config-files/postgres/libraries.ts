/**
 * What libraries need so that their workers find the application's database, and get into it; a user may change each.
 * @param libraries those that are preloaded
 */
export function libraryDefaults(
  libraries: readonly string[],
  database: string | undefined,
): Record<string, string> {
  const has = (library: string): boolean => libraries.includes(library);
  return {
    // By default each of its jobs logs in over the network, which nobody may without a password or a certificate. A worker is in already.
    // https://github.com/citusdata/pg_cron#readme
    ...(has("pg_cron") && {
      "cron.use_background_workers": "on",
      ...(database !== undefined && { "cron.database_name": database }),
    }),
    ...(has("pg_partman_bgw") && database !== undefined && { "pg_partman_bgw.dbname": database }),
  };
}
