import { execFileSync } from "node:child_process";
import type { Refusal } from "../../../../components/resources/patroni/judge-plan";
import { defaultParameters } from "../../../../config-files/postgres/defaults";
import { MANDATORY } from "../../../../config-files/postgres/mandatory";
import { resolveParameters } from "../../../../config-files/postgres/parameters";
import { describeWithImage } from "../../../support/docker";
import { imageOf } from "../../../support/patroni";

/** The judgement of the image's own PostgreSQL. */
function judge(parameters: Record<string, string>, more: object = {}): readonly Refusal[] {
  const question = JSON.stringify({
    ...{
      parameters: { shared_buffers: "32MB", shared_preload_libraries: "pg_stat_statements", ...parameters },
    },
    ...{ extensions: [], database: "app", librariesBefore: [], holdsHugePages: false, ...more },
  });
  const run = [
    "run",
    "--rm",
    "--network",
    "none",
    "--read-only",
    "--tmpfs",
    "/tmp",
    // As a member has: where the kernel promises any memory, one that asks for too much takes all that there is.
    "--memory",
    "512m",
    "--memory-swap",
    "512m",
    "--entrypoint",
    "postgres-judge",
  ];
  return JSON.parse(
    execFileSync("docker", [...run, imageOf("patroni"), question], { encoding: "utf8" }),
  ) as Refusal[];
}

describeWithImage(
  "PostgreSQL is asked whether it takes a configuration, before it is applied (S3, F6)",
  () => {
    test("takes what we give it by default, with the extensions of the image", () => {
      const { parameters } = resolveParameters({}, { memoryMiB: 512 });
      expect(Object.keys(parameters).length).toBeGreaterThanOrEqual(
        Object.keys(defaultParameters({ memoryMiB: 512 })).length,
      );
      expect(Object.keys(parameters)).toEqual(expect.arrayContaining(Object.keys(MANDATORY)));
      // The certificates are a member's own.
      expect(
        judge({ ...parameters, ssl: "off" }, { extensions: ["vector", "pg_stat_statements", "citext"] }),
      ).toEqual([]);
    });

    test("refuses values, libraries, parameters of libraries and extensions at once, each in its own words", () => {
      const said = judge(
        {
          timezone: "Europe/Brelin",
          lc_messages: "de_DE.UTF-8",
          shared_preload_libraries: "pg_stat_statements,pg_corn",
          session_preload_libraries: "auto_explian,auto_explain",
          local_preload_libraries: "auto_explain",
          "auto_explain.log_min_duration": "long",
          "pg_stat_statements.trak": "all",
          default_table_access_method: "heaap",
          default_text_search_config: "pg_catalog.germanish",
          // What it says must be heard, and what would end the asking session must not.
          ...{ log_min_messages: "panic", statement_timeout: "1ms", default_transaction_read_only: "on" },
        },
        { extensions: ["vectr", "vector"] },
      );
      expect(said.map(({ about }) => about).sort()).toEqual([
        "auto_explain.log_min_duration",
        "default_table_access_method",
        "default_text_search_config",
        "extension vectr",
        "lc_messages",
        "local_preload_libraries",
        "pg_stat_statements.trak",
        "session_preload_libraries",
        "shared_preload_libraries",
        "timezone",
      ]);
      const of = (about: string) => said.find((refusal) => refusal.about === about)?.said;
      expect(of("timezone")).toBe('LOG: invalid value for parameter "TimeZone": "Europe/Brelin"');
      expect(of("session_preload_libraries")).toBe(
        'ERROR: could not access file "auto_explian": No such file or directory',
      );
    });

    test("refuses what parameters only are together, and memory that cannot be had", () => {
      expect(judge({ wal_level: "minimal", max_wal_senders: "12" })).toEqual([
        expect.objectContaining({ said: expect.stringContaining("WAL streaming") as string }),
      ]);
      // What names no parameter is tried without one after the other.
      expect(judge({ ssl: "on", ssl_cert_file: "/nowhere/tls.crt" })).toEqual([
        {
          about: "ssl",
          said: expect.stringContaining(
            'could not load server certificate file "/nowhere/tls.crt"',
          ) as string,
        },
      ]);
      expect(
        judge({ archive_mode: "on", archive_library: "basic_archiv" }).map(({ about }) => about),
      ).toEqual(["archive_library"]);
      expect(judge({ shared_buffers: "4000GB" })).toEqual([
        expect.objectContaining({
          said: expect.stringMatching(
            /could not map anonymous shared memory|was killed: the memory that the server allocates/,
          ) as string,
        }),
      ]);
    });

    test("tells huge pages that are not there from memory that is not", () => {
      const free = Number(
        /HugePages_Free:\s+(\d+)/.exec(execFileSync("cat", ["/proc/meminfo"], { encoding: "utf8" }))?.[1],
      );
      const said = judge({ huge_pages: "on" }).map(({ about }) => about);
      expect(said).toEqual(free > 64 ? [] : ["huge_pages"]);
      expect(judge({ huge_pages: "on" }, { holdsHugePages: true })).toEqual([]);
    });

    test("asks a preloaded library what it takes", () => {
      const said = judge({
        shared_preload_libraries: "pg_stat_statements,pg_prewarm",
        "pg_prewarm.autoprewarm_interval": "-5",
      });
      expect(said.map(({ about }) => about)).toEqual(["pg_prewarm.autoprewarm_interval"]);
    });
  },
);
