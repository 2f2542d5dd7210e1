import { type Asked, planAdoption } from "../../../../components/resources/ownership/adoption";

const verifiers = { app_readonly: "V(ro)", app_readwrite: "V(rw)", dpg_cluster: "V(owner)" };
const passwords = { app_readonly: "new", app_readwrite: "rw", dpg_cluster: "owner" };
const secrets = {
  "etcd-tls": { "ca.crt": "A", "tls.crt": "E", "tls.key": "e" },
  "patroni-tls": { "ca.crt": "A", "tls.crt": "P", "tls.key": "p" },
  "etcd-root": { "root-password": "root\n" },
  patroni: {
    "patroni.yml":
      "restapi:\n  authentication:\n    username: patroni\n    password: x\netcd3:\n  password: y\n",
  },
  pool: { "userlist.txt": "", "pool_auth-password": "pool" },
};
const asked = (over: Partial<Asked> = {}): Asked => ({
  ...{ secrets, verifiers, passwords, poolRole: "pool_auth" },
  matches: (password, verifier) => verifier === `V(${password})`,
  ...over,
});

describe("what a state that adopts a cluster takes over", () => {
  test("the authority that is trusted, the certificates that are shown, and the passwords that applications have", () => {
    expect(planAdoption(asked())).toEqual({
      problems: [],
      adoption: {
        authority: "A",
        former: {
          certificates: {
            etcd: { "tls.crt": "E", "tls.key": "e" },
            patroni: { "tls.crt": "P", "tls.key": "p" },
          },
          etcdRoot: "root",
          roles: { app_readwrite: "rw", dpg_cluster: "owner", pool_auth: "pool" },
        },
        told: ["app_readonly"],
      },
    });
  });

  test("of a cluster that was adopted before, also under which user Patroni is known to etcd", () => {
    const yml =
      'restapi:\n  authentication:\n    username: patroni\netcd3:\n  username: "patroni-pg-0a1b2c3d"\n  password: y\n';
    const { adoption } = planAdoption(asked({ secrets: { ...secrets, patroni: { "patroni.yml": yml } } }));
    expect(adoption?.former.etcdUser).toBe("patroni-pg-0a1b2c3d");
  });

  test("a password that is missing, is not the one in the database, or is nobody's, is refused; all at once, and none is printed", () => {
    const { adoption, problems } = planAdoption(
      asked({ passwords: { app_readwrite: "hunter2", stranger: "secret2" } }),
    );
    expect(adoption).toBeUndefined();
    expect(problems).toEqual([
      expect.stringMatching(/^adopt.passwords.app_readonly is missing: .* or "new"/),
      expect.stringMatching(/^adopt.passwords.app_readwrite is not the password of app_readwrite/),
      expect.stringMatching(/^adopt.passwords.dpg_cluster is missing/),
      "adopt.passwords.stranger: the database has no role of this name with a password",
    ]);
    expect(problems.join()).not.toMatch(/hunter2|secret2/);
  });

  test("a cluster that is down cannot be adopted: its secrets are gone", () => {
    const { problems } = planAdoption(asked({ secrets: {} }));
    expect(problems).toEqual([
      expect.stringContaining("the secret etcd-tls with the file ca.crt is missing"),
      expect.stringContaining("etcd-root"),
      expect.stringContaining("pool"),
    ]);
  });
});
