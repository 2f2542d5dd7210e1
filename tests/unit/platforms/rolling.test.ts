import { allReadyProvider } from "../../../components/platforms/docker/all-ready";
import { frameText } from "../../../components/reach/docker/engine";
import { containerReadyProvider } from "../../../components/platforms/docker/container-ready";
import { handoverProvider } from "../../../components/platforms/docker/handover";
import { served } from "../../support/served";

const readiness = { command: ["ready"], timeoutSeconds: 5 };
const turn = { container: "m-0", digest: "1", handover: { command: ["handover"], timeoutSeconds: 5 } };
const healthy = { container: "m-0", digest: "1", readiness, deadlineSeconds: 120 };
const allReady = {
  workload: "m",
  members: [{ container: "m-0", digest: "1", readiness }],
  deadlineSeconds: 120,
};

test("a turn, and the end of one, return at once when nothing exists yet: members start together", async () => {
  const first = served(handoverProvider);
  const last = served(containerReadyProvider);
  expect(await first.provider.create(turn)).toEqual({ id: "m-0", outs: turn });
  expect(await last.provider.create(healthy)).toEqual({ id: "m-0", outs: healthy });
});

test("another digest is a change, another container is another resource", async () => {
  const first = served(handoverProvider);
  const last = served(containerReadyProvider);
  const all = served(allReadyProvider);
  expect(await first.provider.diff("m-0", turn, turn)).toEqual({ changes: false, replaces: [] });
  expect(await first.provider.diff("m-0", turn, { ...turn, digest: "2" })).toEqual({
    changes: true,
    replaces: [],
  });
  expect(await first.provider.diff("m-0", turn, { ...turn, container: "n" })).toEqual({
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
  const news = { ...turn, handover: { command: ["other"], timeoutSeconds: 1 } };
  expect(await provider.update("m-0", turn, news)).toEqual({ outs: news });
});

test("what the engine's streams say is taken out of their frames", () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  expect(frameText(Buffer.concat([frame(1, "out\n"), frame(2, "érr\n"), frame(1, "")]))).toBe("out\nérr\n");
  expect(frameText(frame(1, "cut short").subarray(0, 11))).toBe("cut");
});
