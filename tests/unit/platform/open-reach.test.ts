import * as pulumi from "@pulumi/pulumi";
import { openReach } from "../../../components/platform/open-reach";

test("a straight reach is the address itself", async () => {
  const opened = await openReach({ via: "tcp", host: "db.example.com", port: 5432 });
  expect(opened).toMatchObject({ host: "db.example.com", port: 5432 });
  await opened.close();
});

test("it may be part of a serialised provider: modules are required when it runs, nothing is captured", async () => {
  const serialised = await pulumi.runtime.serializeFunction(() => ({ open: openReach }));
  expect(serialised.text).not.toContain("@pulumi/pulumi");
  const requireFromString = require("require-from-string") as (text: string) => { handler: () => { open: typeof openReach } };
  const { open } = requireFromString(serialised.text).handler();
  expect(await open({ via: "tcp", host: "127.0.0.1", port: 1 })).toMatchObject({ host: "127.0.0.1", port: 1 });
});
