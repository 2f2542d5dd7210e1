// Waits as a dynamic provider does, in a process of its own: one is interrupted once. Prints how each wait ended.
"use strict";
require("../../../scripts/lazy-modules.js");
require("../../../scripts/typescript.js").register();
const { once } = require("node:events");
const http2 = require("node:http2");
const { waitUntil } = require("../../../components/dynamic/wait-until.ts");

/** As it reaches the SDK's server of dynamic providers: gRPC is HTTP/2. */
async function request(path) {
  const server = http2.createServer();
  server.on("stream", (stream) => {
    stream.respond();
    stream.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = http2.connect(`http://127.0.0.1:${server.address().port}`);
  await once(client.request({ ":path": path }).resume(), "end");
  client.close();
  server.close();
}

const ends = {};
const wait = (name, look) =>
  waitUntil({ what: "it leads", deadlineSeconds: 600, intervalMs: 300_000 }, look).then(
    (value) => (ends[name] = `done: ${value}`),
    (error) => (ends[name] = error.message),
  );
const not = (why) => () => Promise.resolve({ done: false, why });

(async () => {
  const waits = [
    wait("in a pause", not("nobody leads")),
    wait("in a look that hangs", () => new Promise(() => {})),
  ];
  await request("/pulumirpc.ResourceProvider/Diff");
  ends["before"] = Object.keys(ends).length;
  await request("/pulumirpc.ResourceProvider/Cancel");
  await Promise.all(waits);
  await wait("of one that begins later", not("not yet"));
  await wait("of one that is done", () => Promise.resolve({ done: true, value: 7 }));
  console.log(JSON.stringify(ends));
})();
