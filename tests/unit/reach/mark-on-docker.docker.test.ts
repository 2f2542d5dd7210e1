import { markProvider, ownerProvider } from "../../../components/resources/ownership/provider";
import { describeWithImage, docker } from "../../support/docker";
import { served } from "../../support/served";

describeWithImage("the owner's mark on a Docker engine", (image) => {
  const cluster = `pg-owner-${process.pid}`;
  const args = { place: { via: "docker", cluster }, stack: "dev", project: "shop" } as const;
  const none = {} as never;
  const volumes = (): string[] =>
    docker("volume", "ls", "--quiet", "--filter", `label=postgres-cluster.stack=${cluster}`)
      .split("\n")
      .filter((name) => name !== "")
      .sort();
  const makeData = (): string =>
    docker(
      ...["volume", "create", "--label", `postgres-cluster.stack=${cluster}`],
      ...["--label", `postgres-cluster.replica=${cluster}-patroni-0`, `${cluster}-patroni-0-data`],
    );
  const state = async (stack = "dev") => {
    const owner = served(ownerProvider).provider;
    const mark = served(markProvider).provider;
    const checked = await owner.check(none, { ...args, stack } as never);
    return { owner, mark, checked, inputs: checked.inputs! };
  };
  const marks = async (of: Awaited<ReturnType<typeof state>>) => {
    const { owner, stack } = of.inputs;
    return (await of.mark.check(none, { ...args, stack, owner } as never)).inputs!;
  };
  afterEach(() => {
    for (const name of volumes()) docker("volume", "rm", name);
    docker("rm", "--force", `${cluster}-owner-lock`);
  });

  test("a first look makes an id and nothing else; the mark is written before there are data, and outlives them", async () => {
    const first = await state();
    expect(first.checked.failures).toEqual([]);
    expect(first.inputs).toMatchObject({ owner: expect.stringMatching(/^[0-9a-f-]{36}$/), unproven: "" });
    expect(volumes()).toEqual([]);
    const inputs = await marks(first);
    expect(inputs.marked).toBe(false);
    await first.mark.create(inputs);
    expect(volumes()).toEqual([`${cluster}-owner`]);
    const again = await marks(first);
    expect(again.marked).toBe(true);
    expect(await first.mark.diff("", inputs, again)).toMatchObject({ changes: false });

    makeData();
    await first.mark.delete("", inputs);
    expect(volumes()).toContain(`${cluster}-owner`);
    // As after `down`: the id was kept.
    const kept = await first.owner.check(first.inputs, args as never);
    expect(kept).toMatchObject({ failures: [], inputs: { owner: first.inputs.owner, unproven: "" } });

    docker("volume", "rm", `${cluster}-patroni-0-data`);
    await first.mark.delete("", inputs);
    expect(volumes()).toEqual([]);
  });

  test("another state is refused before it writes, also the one that is told so by the mark alone", async () => {
    const [first, second] = [await state(), await state("second")];
    const late = await marks(second);
    await first.mark.create(await marks(first));
    // Both have looked when nothing was there.
    await expect(second.mark.create(late)).rejects.toThrow("belongs to the stack dev of the project shop");
    expect((await state("third")).checked.failures).toEqual([
      {
        property: "cluster",
        reason: expect.stringContaining("belongs to the stack dev of the project shop"),
      },
    ]);
    // Its own state may have another name meanwhile.
    const renamed = await first.owner.check(first.inputs, { ...args, stack: "renamed" } as never);
    expect(renamed.failures).toEqual([]);
  });

  test("of states that write at the same time one wins", async () => {
    const all = await Promise.all(["a", "b", "c"].map((name) => state(name)));
    const inputs = await Promise.all(all.map(marks));
    const results = await Promise.allSettled(all.map((each, i) => each.mark.create(inputs[i]!)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results.filter((each) => each.status === "rejected"))
      expect(String(result.reason)).toContain("belongs to the stack");
  });

  test("what a run that was killed has left holds the mark for half a minute, and no longer", async () => {
    const first = await state();
    const inputs = await marks(first);
    await first.mark.create(inputs);
    const hold = (...name: string[]): string =>
      docker(
        ...["create", ...name, "--label", `postgres-cluster.helper=${cluster}-owner`],
        ...["--volume", `${cluster}-owner:/files`, image, "true"],
      );
    hold("--name", `${cluster}-owner-lock`);
    hold();
    await first.mark.delete("", inputs);
    expect(volumes()).toEqual([]);
    expect(
      docker("ps", "--all", "--quiet", "--filter", `label=postgres-cluster.helper=${cluster}-owner`),
    ).toBe("");
  });

  test("data without a mark: a state that knows them marks them again, a new one has to prove itself", async () => {
    const first = await state();
    makeData();
    expect((await first.owner.check(first.inputs, args as never)).inputs).toMatchObject({ unproven: "" });
    const { checked, mark, inputs } = await state("second");
    expect(checked.failures).toEqual([]);
    expect(inputs.unproven).toContain(`data of a cluster ${cluster} exist (${cluster}-patroni-0-data)`);
    // It has to go on doing so, and an issuer's certificates are no proof.
    expect((await first.owner.check(inputs, { ...args, stack: "second" } as never)).inputs?.unproven).toBe(
      inputs.unproven,
    );
    const { owner, unproven } = inputs;
    expect((await mark.check(none, { ...args, owner, unproven } as never)).failures).toEqual([
      { property: "cluster", reason: unproven },
    ]);
  });
});
