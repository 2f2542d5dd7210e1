import { describeProblem, ProblemsError, refuse } from "../../../components/settings/problems";
import { nearest } from "../../../config-files/format/nearest";
import { resolveCpu } from "../../../components/settings/cpu";
import { cpuMillis, sizeMiB } from "../../../components/settings/size";

test("problems come in one error that says that nothing was changed", () => {
  const problem = { setting: "a.b", value: 1, rule: "must be 2", remedy: "Use 2" };
  expect(() => refuse("settings", [])).not.toThrow();
  expect(() => refuse("settings", [problem, problem])).toThrow(
    new ProblemsError("settings", [problem, problem]),
  );
  expect(() => refuse("settings", [problem])).toThrow(
    "settings: 1 problem, nothing was changed.\n  - a.b = 1: must be 2. Use 2.",
  );
});

test("the nearest name is found, and none where none is near", () => {
  expect(nearest("memebrs", ["members", "memory"])).toBe("members");
  expect(nearest("TTL", ["ttl"])).toBe("ttl");
  expect(nearest("unrelated", ["members", "memory"])).toBeUndefined();
});

test("sizes have binary units and no others", () => {
  expect([sizeMiB("512Mi"), sizeMiB("10Gi"), sizeMiB("1Ti")]).toEqual([512, 10240, 1048576]);
  for (const text of ["512", "512MB", "0Mi", "1.5Gi", "-1Mi", "", "Gi"])
    expect(sizeMiB(text)).toBeUndefined();
});

test("processor time has cores, or thousandths of one, and nothing else", () => {
  expect(["2", "0.5", "500m", 1, 0.25].map(cpuMillis)).toEqual([2000, 500, 500, 1000, 250]);
  for (const text of ["0", "0m", "-1", "1.5m", "0.0001", "2 cores", "", "m"])
    expect(cpuMillis(text)).toBeUndefined();
});

test("the most that a member gets is what is set aside for it, unless something else is said", () => {
  expect(resolveCpu({}, "etcd").value).toEqual({});
  expect(resolveCpu({ cpu: 2 }, "etcd").value).toEqual({ cpuMillis: 2000, cpuLimitMillis: 2000 });
  expect(resolveCpu({ cpu: "500m", cpuLimit: 2 }, "etcd").value).toEqual({
    cpuMillis: 500,
    cpuLimitMillis: 2000,
  });
  expect(resolveCpu({ cpu: 2, cpuLimit: "none" }, "etcd").value).toEqual({ cpuMillis: 2000 });
  const said = ({ problems }: ReturnType<typeof resolveCpu>) => problems.map(describeProblem);
  expect(said(resolveCpu({ cpu: 2, cpuLimit: "1500m" }, "workers"))).toEqual([
    'workers.cpuLimit = "1500m": must not be less than the request (workers.cpu = 2). Raise it, or write none.',
  ]);
});
