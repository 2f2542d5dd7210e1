/** All nodes, including the coordinators. https://docs.citusdata.com/en/stable/develop/api_metadata.html */
export const readAllNodesStatement = (): string => `SELECT groupid AS "group", nodename AS host,
       noderole::text AS role, isactive AS active, metadatasynced AS synced
FROM pg_catalog.pg_dist_node ORDER BY groupid, noderole, nodename`;
