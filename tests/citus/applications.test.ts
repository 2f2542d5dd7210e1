import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { databaseProvider } from "../../components/resources/sql/database/provider";
import { rolesProvider } from "../../components/resources/sql/roles/provider";
import { withCitus } from "../support/citus";
import { Crowd } from "../support/crowd";
import { served } from "../support/served";
import { docker } from "../support/stack";
import { measureRecall, nearest } from "../support/vectors";
import { query } from "../support/writer";
import { coordinatorLeader, leaderOf, note, report, shards, sqlIn, stack } from "./cluster";

/** How often each of a thousand clients asks, so that it lasts long enough to be looked at. */
const ROUNDS = 10;

(withCitus ? describe : describe.skip)(
  "what applications get of a distributed database (D1, D6, D7, D9)",
  () => {
    afterAll(() => report());

    test("rows lie on every group, and a second up changes nothing", async () => {
      const found = await shards();
      expect(Object.keys(found)).toEqual(["1", "2"]);
      expect(Math.abs((found["1"] ?? 0) - (found["2"] ?? 0))).toBeLessThanOrEqual(4);
      await stack.up();
      await stack.preview("--expect-no-changes");
      await stack.up("--expect-no-changes");
    });

    test("reads through the read endpoint come from a replica of the coordinators (D6)", async () => {
      const reader = await stack.target("app_readonly", "read");
      expect(
        await query(reader, "SELECT pg_is_in_recovery() AS replica, count(*)::int AS rows FROM accounts"),
      ).toEqual([{ replica: true, rows: 200 }]);
    });

    test("no password lies in pg_dist_authinfo, and none opens a worker (D8, D9)", async () => {
      const coordinator = stack.member("coordinator", 0);
      const kept = await sqlIn(coordinator, "SELECT string_agg(authinfo, ' ') FROM pg_dist_authinfo");
      expect(kept).not.toMatch(/password/);
      const { passwords } = await stack.outputs();
      const worker = stack.member("worker-1", 0);
      const connection = `host=${worker} dbname=app user=app_readwrite password=${passwords["app_readwrite"] ?? ""} sslmode=verify-full sslrootcert=/secrets/tls/ca.crt`;
      await expect(docker("exec", coordinator, "psql", connection, "-c", "SELECT 1")).rejects.toThrow(
        /connection requires a valid client certificate/,
      );
    });

    test("an application's own role, its rights and extensions are on every node, and it comes through both pools (D1)", async () => {
      const { passwords, certificateAuthority: ca, database } = await stack.outputs();
      const members = [0, 1, 2].map((i) => {
        const name = stack.member("coordinator", i);
        return { name, serverName: name, reach: { via: "docker" as const, container: name, port: 5432 } };
      });
      const common = {
        target: { members, user: "postgres", database, ca },
        password: passwords["postgres"] ?? "",
        ...{ deadlineSeconds: 60, providerVersion: 1 },
      };
      const analyst = {
        name: "analyst",
        login: true,
        connectionLimit: -1,
        createDatabase: false,
        createRole: false,
      };
      const roles = served(rolesProvider);
      await roles.provider.create({
        ...common,
        roles: [{ ...analyst, memberOf: [], settings: {} }],
        passwords: { analyst: "of the analyst" },
        onRemoval: "disable-login",
      });
      const databases = served(databaseProvider);
      await databases.provider.create({
        ...common,
        ...{ name: database, owner: "dpg_cluster", extensions: ["citext"] },
        access: { readWrite: [], readOnly: ["analyst"] },
      });

      for (const kind of ["write", "read"] as const) {
        const target = {
          ...(await stack.target("app_readonly", kind)),
          user: "analyst",
          password: "of the analyst",
        };
        expect(await query(target, "SELECT count(*)::int AS rows FROM accounts")).toEqual([{ rows: 200 }]);
        await expect(query(target, "DELETE FROM accounts", [], 1)).rejects.toThrow(
          /permission denied|writing to worker nodes is not currently allowed/,
        );
      }
      for (const group of [1, 2]) {
        const found = await sqlIn(
          await leaderOf(group),
          "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = 'analyst') + (SELECT count(*) FROM pg_extension WHERE extname = 'citext')",
        );
        expect(found).toBe("2");
      }
    });

    test("vectors are searched on every shard by its index, and nearly all true neighbours are found (D7)", async () => {
      const coordinator = await coordinatorLeader();
      const psql = ["psql", "--host", "/run/postgresql", "--dbname", "app", "--set", "ON_ERROR_STOP=1"];
      const example = readFileSync(join(__dirname, "../../docs/examples/vectors.sql"), "utf8");
      const printed = execFileSync("docker", ["exec", "--interactive", coordinator, ...psql, "--file", "-"], {
        input: `SET ROLE dpg_cluster;\n${example}`,
        encoding: "utf8",
      });
      expect(printed).toMatch(/4711 \|\s+11\n/);
      const reader = await stack.target("app_readonly", "write");
      const plan = await query<Record<string, string>>(
        reader,
        `EXPLAIN ${nearest(JSON.stringify(Array(32).fill(0.5)))}`,
      );
      expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).toMatch(
        /Index Scan using items_embedding_\d+ on items_\d+/,
      );
      const { recall, approximateMs, exactMs } = await measureRecall(reader, 40);
      note(
        `vectors: recall of 10 nearest ${recall.toFixed(3)}, ${approximateMs.toFixed(1)} ms by the index, ${exactMs.toFixed(1)} ms by comparing all`,
      );
      expect(recall).toBeGreaterThanOrEqual(0.9);
    });

    test("a thousand clients share few connections to the servers (D6)", async () => {
      const databases = (await stack.containers()).filter((name) => /coordinator|worker/.test(name));
      const crowd = await Crowd.gather(await stack.target("app_readwrite"), 1000);
      const most: Record<string, number> = {};
      try {
        const asking = { still: true };
        const rounds = async (): Promise<readonly string[]> => {
          const failed: string[] = [];
          for (let round = 0; round < ROUNDS; round++) {
            failed.push(
              ...(await crowd.ask(
                (i) => `SELECT balance FROM accounts WHERE id = ${1 + ((i + round) % 200)}`,
              )),
            );
          }
          return failed;
        };
        const asked = rounds().finally(() => (asking.still = false));
        while (asking.still) {
          await Promise.all(
            databases.map(async (name) => {
              const count = await sqlIn(
                name,
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'",
              );
              most[name] = Math.max(most[name] ?? 0, Number(count));
            }),
          );
        }
        expect(await asked).toEqual([]);
      } finally {
        await crowd.disperse();
      }
      note(`1000 clients, most connections of a server: ${JSON.stringify(most)}`);
      expect(Math.max(...Object.values(most))).toBeGreaterThan(0);
      expect(Math.max(...Object.values(most))).toBeLessThanOrEqual(300);
    });
  },
);
