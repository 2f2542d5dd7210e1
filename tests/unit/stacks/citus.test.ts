import { chooseCitus, citusOutput, type CitusSources, type Existing } from "../../../stacks/citus";
import { settingsOf } from "../../support/specs";

const local = { version: "14.0", file: "/packages/postgresql-17-citus-14.0_1_amd64.deb" };
const sources = (over: Partial<Record<"local" | "vendor", boolean>>): CitusSources => ({
  local: () => (over.local ? local : undefined),
  vendorAnswers: () => Promise.resolve(over.vendor === true),
});
const choose = (
  citus: string | undefined,
  existing: Existing,
  over: Partial<Record<"local" | "vendor", boolean>>,
) => chooseCitus(settingsOf("dev", citus === undefined ? {} : { citus }), existing, sources(over));

describe("whether a new cluster is distributed (D1)", () => {
  test("a package on this machine comes before the vendor's", async () => {
    expect(await choose(undefined, undefined, { local: true, vendor: true })).toMatchObject({
      distributed: true,
      package: local,
    });
  });

  test("the vendor's is fetched by the image's build", async () => {
    const choice = await choose("required", undefined, { vendor: true });
    expect(choice).toMatchObject({ distributed: true, package: { version: "14.1" }, problems: [] });
    expect(choice.package?.file).toBeUndefined();
  });

  test("where Citus cannot be had, the cluster comes up without it and says why", async () => {
    const choice = await choose("auto", undefined, {});
    expect(choice).toMatchObject({ distributed: false, problems: [] });
    expect(choice.why).toMatch(
      /neither from its vendor's repository .* nor as a package in .*packages: .* without it/,
    );
  });

  test("asking for it is then an error with the way out", async () => {
    const { problems } = await choose("required", undefined, {});
    expect(problems).toEqual([
      expect.objectContaining({
        setting: "citus",
        value: "required",
        remedy: expect.stringContaining("Put postgresql-17-citus-") as string,
      }),
    ]);
  });

  test("off is off", async () => {
    expect(await choose("off", undefined, { local: true })).toMatchObject({
      distributed: false,
      problems: [],
    });
  });
});

describe("what a cluster is, it stays", () => {
  test.each([
    ["made with a package of this machine", { local: true }],
    ["made with the vendor's", { vendor: true }],
    ["made without", {}],
  ])("and so does the stack's output, though the reason is another by then: %s", async (_how, from) => {
    const first = await choose("auto", undefined, from);
    const later = await choose("auto", first.distributed ? "distributed" : "replicated", from);
    if (!("local" in from)) expect(later.why).not.toBe(first.why);
    expect(citusOutput(later)).toBe(citusOutput(first));
  });

  test("distributed, though Citus cannot be had today", async () => {
    expect(await choose("auto", "distributed", {})).toMatchObject({ distributed: true, problems: [] });
  });

  test("replicated, though Citus can be had now", async () => {
    expect(await choose("auto", "replicated", { local: true })).toMatchObject({
      distributed: false,
      problems: [],
    });
  });

  test.each([
    ["off", "distributed"],
    ["required", "replicated"],
  ] as const)("citus: %s is refused for one that is %s", async (citus, existing) => {
    const { problems } = await choose(citus, existing, { local: true });
    expect(problems.map(({ rule }) => rule)).toEqual([
      expect.stringMatching(/^does not match the existing data: pg/),
    ]);
  });
});
