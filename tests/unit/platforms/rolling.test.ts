import Dockerode from "dockerode";
import { Readable } from "node:stream";
import { allReadyProvider } from "../../../components/platforms/docker/all-ready";
import { outputsOf } from "../../../components/reach/docker/engine";
import { containerReadyProvider } from "../../../components/platforms/docker/container-ready";
import { handoverProvider } from "../../../components/platforms/docker/handover";
import { served } from "../../support/served";

const readiness = { command: ["ready"], timeoutSeconds: 5 };
const step = { container: "m-0", digest: "1", handover: { command: ["handover"], timeoutSeconds: 5 } };
const healthy = { container: "m-0", digest: "1", readiness, deadlineSeconds: 120 };
const allReady = {
  workload: "m",
  members: [{ container: "m-0", digest: "1", readiness }],
  deadlineSeconds: 120,
};

test("a handover, and the wait for what replaced it, return at once when nothing exists yet: members start together", async () => {
  const first = served(handoverProvider);
  const last = served(containerReadyProvider);
  expect(await first.provider.create(step)).toEqual({ id: "m-0", outs: step });
  expect(await last.provider.create(healthy)).toEqual({ id: "m-0", outs: healthy });
});

test("another digest is a change, another container is another resource", async () => {
  const first = served(handoverProvider);
  const last = served(containerReadyProvider);
  const all = served(allReadyProvider);
  expect(await first.provider.diff("m-0", step, step)).toEqual({ changes: false, replaces: [] });
  expect(await first.provider.diff("m-0", step, { ...step, digest: "2" })).toEqual({
    changes: true,
    replaces: [],
  });
  expect(await first.provider.diff("m-0", step, { ...step, container: "n" })).toEqual({
    changes: true,
    replaces: ["container"],
  });
  expect(await last.provider.diff("m-0", healthy, { ...healthy, digest: "2" })).toEqual({
    changes: true,
    replaces: [],
  });
  expect(await last.provider.diff("m-0", healthy, { ...healthy, container: "n" })).toEqual({
    changes: true,
    replaces: ["container"],
  });
  expect(await all.provider.diff("m", allReady, allReady)).toEqual({ changes: false, replaces: [] });
  expect(await all.provider.diff("m", allReady, { ...allReady, members: [] })).toEqual({
    changes: true,
    replaces: [],
  });
});

test("a handover without its digest changing is not run", async () => {
  const { provider } = served(handoverProvider);
  const news = { ...step, handover: { command: ["other"], timeoutSeconds: 1 } };
  expect(await provider.update("m-0", step, news)).toEqual({ outs: news });
});

test("what the engine's streams say is taken out of their frames", async () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const said = (...chunks: readonly Buffer[]) => outputsOf(new Dockerode(), Readable.from(chunks));
  const frames = Buffer.concat([frame(1, "out\n"), frame(2, "érr\n"), frame(1, "more")]);
  const whole = { stdout: "out\nmore", output: "out\nérr\nmore" };
  expect(await said(frames)).toEqual(whole);
  expect(await said(...[...frames].map((byte) => Buffer.from([byte])))).toEqual(whole);
  expect((await said(frame(1, "whole"), frame(1, "cut short").subarray(0, 11))).output).toBe("whole");
  // A log comes as one chunk, and docker-modem recurses for each of its frames.
  const lines = [...Array(50_000).keys()].map((i) => `${i}\n`);
  const log = Buffer.concat(lines.map((line, i) => frame(1 + (i % 2), line)));
  expect((await said(log)).output).toBe(lines.join(""));
  const failing = Readable.from(
    (function* () {
      yield frame(1, "before");
      throw new Error("the connection is lost");
    })(),
  );
  await expect(outputsOf(new Dockerode(), failing)).rejects.toThrow("the connection is lost");
});
