import { removeStacks, Stack } from "./support/stack";

afterAll(removeStacks);

test("a secret is nowhere in clear text: not in the state, not in any output, not in an error", async () => {
  const secret = "s3cret-of-the-test";
  const resources = [
    {
      name: "a",
      value: { secret },
      opts: { additionalSecretOutputs: ["derived"] },
      say: `talks about ${secret}`,
    },
    { name: "b", value: { inner: [{ secret: `${secret}-b` }] } },
    // What a provider derives is secret only where the program says so: that is Pulumi's rule for dynamic resources.
    { name: "c", value: { from: "a" }, opts: { additionalSecretOutputs: ["derived"] } },
    { name: "password", is: "password" },
  ];
  const outputs = {
    direct: { secret },
    derived: { from: "c" },
    password: { password: "password" },
    plain: "visible",
  };
  const rest = { outputs };
  const stack = new Stack();
  stack.write(resources, rest);
  const texts = [
    (await stack.run("preview")).text,
    (await stack.run("up")).text,
    (await stack.run("outputs")).text,
  ];
  const bad = { name: "d", value: { secret: `${secret}-d` }, props: { fail: "create" } };
  // What is secret is known from the state now, so that the program cannot print it either.
  stack.write([...resources, bad], { outputs, print: `printed ${secret}` });
  const failed = await stack.run("up");
  expect(failed.text).toContain("d cannot be created: [secret]");
  texts.push(failed.text, (await stack.run("stack", "export")).text, stack.stateText());
  const shown = await stack.run("outputs", "--json", "--show-secrets");
  const clear = (JSON.parse(shown.out) as { outputs: Record<string, string> }).outputs;
  expect(clear).toMatchObject({ direct: secret, derived: `${secret}-derived-derived` });
  expect(clear.password).toHaveLength(20);
  for (const text of texts) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(clear.password);
  }
  expect(texts[1]).toContain("talks about [secret]");
  expect(texts[3]).toContain("printed [secret]");
  expect(texts[2]).toContain("visible");
});

test("outputs are secret where the input of the same name was, and where the program says so", async () => {
  const stack = new Stack();
  await stack.up([
    { name: "a", value: { secret: "hidden-value" }, opts: { additionalSecretOutputs: ["derived"] } },
    { name: "b", value: { from: "a" } },
  ]);
  const sealed = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    ciphertext: expect.stringMatching(/^v1:.+:.+$/),
  };
  expect(stack.resource("a")).toMatchObject({
    inputs: { value: sealed },
    outputs: { value: sealed, derived: sealed },
  });
  expect(stack.resource("b")).toMatchObject({ inputs: { value: sealed } });
});

test("a wrong passphrase and a missing one are said clearly, and nothing is touched", async () => {
  const stack = new Stack();
  await stack.up([{ name: "a", value: { secret: "hidden-value" } }]);
  const state = stack.stateText();
  stack.env.PULUMI_CONFIG_PASSPHRASE = "wrong";
  expect((await stack.run("up")).err).toContain("the passphrase is wrong");
  delete stack.env.PULUMI_CONFIG_PASSPHRASE;
  expect((await stack.run("up")).err).toContain("PULUMI_CONFIG_PASSPHRASE");
  expect(stack.stateText()).toBe(state);
});
