import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { PROJECT } from "../../../commands/programs";
import { DynamicResource } from "../../../components/dynamic/resource";

/** What Pulumi keeps of a resource with that provider. */
async function kept(provider: string): Promise<string> {
  let text = "";
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => {
      text = (inputs as { __provider: string }).__provider;
      return { id: name, state: {} };
    },
    call: () => ({}),
  });
  const { urn } = new DynamicResource(provider, "thing", {}, {}, "test", "Thing");
  await new Promise((resolve) => urn.apply(resolve));
  return text;
}

/** What becomes of that text in the SDK's server of dynamic resources, which runs in the folder of the program: the provider's methods. */
function methods(text: string, cwd: string) {
  const load = `const provider = require("require-from-string")(${JSON.stringify(text)}).handler(); console.log(Object.keys(provider).join(" "))`;
  const env = { ...process.env, NODE_PATH: path.join(PROJECT, "node_modules") };
  const { stdout, stderr } = spawnSync(process.execPath, ["--eval", load], { cwd, env, encoding: "utf8" });
  return { stdout: stdout.trim(), stderr };
}

const ROLES = "resources/sql/roles/provider#rolesProvider";

/** What the providers at these places have as `create`, and what went wrong. */
function creates(places: readonly string[]): [string, string] {
  const load = `const { provider } = require("./components/dynamic/provider.js");
    console.log(JSON.stringify(process.argv.slice(1).map((place) => typeof provider(place).create)))`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--eval", load, ...places], {
    ...{ cwd: PROJECT, encoding: "utf8" },
  });
  return [stdout.trim(), stderr];
}

/** All places of providers before they were sorted into rooms. */
const FORMER_PLACES = [
  "certificates/authority-provider#authorityProvider",
  "certificates/certificate-provider#certificateProvider",
  "etcd/keys-provider#etcdKeysProvider",
  "etcd/membership#etcdMembershipProvider",
  "etcd/provider#etcdAuthenticationProvider",
  "etcd/trust#etcdTrustProvider",
  "ownership/provider#markProvider",
  "ownership/provider#ownerProvider",
  "patroni/beforehand-provider#patroniBeforehandProvider",
  "patroni/leader-provider#patroniLeaderProvider",
  "patroni/membership-provider#patroniMembershipProvider",
  "patroni/provider#patroniConfigurationProvider",
  "platform/docker/all-ready#allReadyProvider",
  "platform/docker/healthy#healthyProvider",
  "platform/docker/leaving#leavingProvider",
  "platform/docker/mounted-files#mountedFilesProvider",
  "platform/docker/turn#turnProvider",
  "platform/kubernetes/certificate-issued#certificateIssuedProvider",
  "platform/kubernetes/rollout#podsReadyProvider",
  "platform/kubernetes/rollout#rolloutProvider",
  "platform/kubernetes/volume-claims#volumeClaimsProvider",
  "sql/citus-table/provider#citusTableProvider",
  "sql/cluster-check/provider#clusterCheckProvider",
  "sql/database/provider#databaseProvider",
  "sql/replication-check/provider#replicationCheckProvider",
  "sql/roles/provider#rolesProvider",
  "sql/worker-groups/provider#workerGroupsProvider",
];

describe("what Pulumi keeps of a provider says where it is (C1)", () => {
  let folder: string;
  beforeEach(() => void (folder = fs.mkdtempSync(path.join(os.tmpdir(), "provider-places-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  test("in a few lines, the same on every machine", async () => {
    const text = await kept(ROLES);
    expect(text).toContain(ROLES);
    expect(text).not.toContain(PROJECT);
    expect(text.length).toBeLessThan(1500);
  });

  test("every resource's, which is there with its methods", () => {
    const sources = fs.globSync("components/**/*.ts", { cwd: PROJECT });
    const places = sources.flatMap((file) => {
      const source = fs.readFileSync(path.join(PROJECT, file), "utf8");
      const classes = source.match(/extends DynamicResource\b/g) ?? [];
      const found = [...source.matchAll(/super\(\s*"([\w/-]+#\w+)"/g)].map(([, place = ""]) => place);
      expect([file, found.length]).toEqual([file, classes.length]);
      return found;
    });
    expect(places.length).toBeGreaterThan(20);
    expect(creates(places)).toEqual([JSON.stringify(places.map(() => "function")), ""]);
  });

  test("and those that a state of version 0.1 names, by the place that they had then", () => {
    expect(creates(FORMER_PLACES)).toEqual([JSON.stringify(FORMER_PLACES.map(() => "function")), ""]);
  });

  test("from the folder of this project's program, and from any below", async () => {
    const text = await kept(ROLES);
    for (const cwd of [PROJECT, path.join(PROJECT, "stacks")])
      expect(methods(text, cwd).stdout).toMatch(/\bcreate\b.*\bconfigure\b/);
  });

  test("from a project that has the package", async () => {
    const program = path.join(folder, "infrastructure/program");
    fs.mkdirSync(program, { recursive: true });
    fs.mkdirSync(path.join(folder, "node_modules"));
    fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "shop" }));
    fs.symlinkSync(PROJECT, path.join(folder, "node_modules/pulumi-postgres-cluster"));
    expect(methods(await kept(ROLES), program).stdout).toMatch(/\bcreate\b/);
  });

  test("where the package is not, it says which, and what to do", async () => {
    expect(methods(await kept(ROLES), folder).stderr).toContain(
      `the package pulumi-postgres-cluster is neither in ${folder} nor above it: npm ci`,
    );
  });

  test("of another version of the package: it says what is not there", async () => {
    expect(methods(await kept("resources/sql/roles/provider#formerProvider"), PROJECT).stderr).toContain(
      "components/resources/sql/roles/provider does not export formerProvider: the state was written by a different version of this package; use that version or a newer one",
    );
  });
});
