import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { issueAuthority, issueLeaf } from "../../components/resources/certificates/issue";
import { PROGRAM_UID } from "../../components/platforms/workload";
import { IMAGES } from "../../config-files/images";
import { docker } from "../support/stack";

const run = promisify(execFile);
const GOLDENS = path.join(__dirname, "../golden/config-files");
const goldens = (program: string, ending: string): string[] =>
  fs.readdirSync(path.join(GOLDENS, program)).filter((name) => name.endsWith(ending));

/** The image that was built last; the cluster suites build them. */
async function imageOf(program: string): Promise<string> {
  const label = IMAGES[program] && `label=postgres-cluster.image=${program}`;
  const [image] = (await docker("images", "--quiet", "--filter", label ?? "")).split("\n");
  if (!image) throw new Error(`there is no image of ${program}: make up builds it`);
  return image;
}

/** Runs a script in a program's image with `files` in place (host path by path in the container); resolves with all it printed. */
async function inImage(
  program: string,
  files: Readonly<Record<string, string>>,
  script: string,
): Promise<string> {
  const mounts = Object.entries(files).flatMap(([inside, outside]) => [
    "--volume",
    `${outside}:${inside}:ro`,
  ]);
  const scratch = ["/run/haproxy", "/run/pgbouncer", "/run/patroni"].flatMap((folder) => [
    "--tmpfs",
    `${folder}:mode=1777`,
  ]);
  const args = [
    "run",
    "--rm",
    "--network",
    "none",
    "--read-only",
    ...scratch,
    ...mounts,
    "--entrypoint",
    "sh",
  ];
  const { stdout, stderr } = await run("docker", [...args, await imageOf(program), "-ec", script]);
  return stdout + stderr;
}

describe("every golden is accepted by the program that will read it", () => {
  let folder: string;
  beforeAll(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "goldens-"));
    const authority = await issueAuthority(new Date(), { commonName: "goldens", lifetimeDays: 1 });
    const leaf = await issueLeaf(new Date(), {
      commonName: "goldens",
      dnsNames: ["localhost"],
      ipAddresses: [],
      usages: ["server", "client"],
      lifetimeDays: 1,
      authorityCertificatePem: authority.certificatePem,
      authorityPrivateKeyPem: authority.privateKeyPem,
    });
    const keep = (name: string, text: string): void => {
      const file = path.join(folder, name);
      fs.writeFileSync(file, text, { mode: 0o400 });
      fs.chownSync(file, PROGRAM_UID, PROGRAM_UID);
    };
    keep("ca.crt", authority.certificatePem);
    keep("tls.crt", leaf.certificatePem);
    keep("tls.key", leaf.privateKeyPem);
    keep("userlist.txt", '"pool_auth" "of-this-test"\n');
    fs.chownSync(folder, PROGRAM_UID, PROGRAM_UID);
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  test.each(goldens("haproxy", ".cfg"))("haproxy -c takes %s", async (name) => {
    const files = { "/etc/haproxy/haproxy.cfg": path.join(GOLDENS, "haproxy", name), "/secrets/tls": folder };
    // A warning is allowed for name servers, which there are none of here.
    expect(
      await inImage("haproxy", files, "haproxy -c -f /etc/haproxy/haproxy.cfg && echo accepted"),
    ).toContain("accepted");
  });

  test.each(goldens("pgbouncer", ".ini"))("pgbouncer starts with %s and shows no complaint", async (name) => {
    const files = {
      "/etc/pgbouncer/pgbouncer.ini": path.join(GOLDENS, "pgbouncer", name),
      "/secrets/tls": folder,
      "/secrets/pgbouncer": folder,
    };
    const script = `
      echo "peer_id = 1" > /run/pgbouncer/replica.ini
      printf "[databases]\\n* = host=nowhere port=5432\\n" > /run/pgbouncer/databases.ini
      pgbouncer /etc/pgbouncer/pgbouncer.ini & pool=$!
      for _ in $(seq 50); do pool-console "SHOW CONFIG" && break; sleep 0.2; done
      kill -INT $pool; wait $pool`;
    const said = await inImage("pgbouncer", files, script);
    expect(said).toMatch(/pool_mode.*transaction/);
    expect(said).not.toMatch(/ERROR|WARNING|FATAL/);
  });

  test("patroni --validate-config takes the goldens as the container puts them together", async () => {
    const of = (name: string): string => path.join(GOLDENS, "patroni", name);
    const files = {
      "/etc/patroni/cluster.yml": of("cluster.yml"),
      "/etc/patroni-bootstrap/bootstrap.yml": of("bootstrap.yml"),
      "/secrets/patroni/patroni.yml": of("patroni.yml"),
      "/secrets/tls": folder,
    };
    const script = `
      mkdir -p /run/patroni/conf /run/patroni/data
      # Its data directory must be writable, and here only this folder is.
      sed 's#/var/lib/postgresql/data#/run/patroni/data#' /etc/patroni/cluster.yml > /run/patroni/conf/cluster.yml
      ln -s /etc/patroni-bootstrap/bootstrap.yml /secrets/patroni/patroni.yml /run/patroni/conf/
      export PATRONI_NAME=pg-0 PATRONI_RESTAPI_CONNECT_ADDRESS=localhost:8008 PATRONI_POSTGRESQL_CONNECT_ADDRESS=localhost:5432
      /opt/patroni/bin/patroni --validate-config /run/patroni/conf && echo accepted`;
    const said = await inImage("patroni", files, script).catch((error: unknown) => String(error));
    expect(said).toContain("accepted");
  });
});
