import { answerOf, type Gateway, isRefusal, must } from "../../../../components/resources/etcd/gateway";

const said = (status: number, json: unknown) =>
  answerOf("/v3/x", { status, json, text: JSON.stringify(json) });

/** What becomes of a call that is answered so. */
async function outcome(
  status: number,
  json: unknown,
): Promise<"succeeded" | "refused" | "to be asked again"> {
  const gateway: Gateway = { call: () => Promise.resolve().then(() => said(status, json)) };
  return must(gateway, "/v3/x", {}).then(
    () => "succeeded",
    (error: unknown) => (isRefusal(error) ? "refused" : "to be asked again"),
  );
}

describe("what etcd says", () => {
  test("is believed where it is etcd's own word", async () => {
    expect(await outcome(200, { header: {} })).toBe("succeeded");
    expect(await outcome(403, { code: 7, message: "etcdserver: permission denied" })).toBe("refused");
    expect(await outcome(400, { code: 9, message: "etcdserver: user name already exists" })).toBe("refused");
  });

  test.each([
    ["has no leader", 503, { code: 14, message: "etcdserver: no leader" }],
    ["has no time", 504, { code: 4, message: "context deadline exceeded" }],
    ["has lost its server (seen)", 500, { code: 2, message: "malformed header: missing HTTP content-type" }],
    [
      "has lost a stream (seen)",
      500,
      { code: 13, message: "server closed the stream without sending trailers" },
    ],
    ["is closing", 499, { code: 1, message: "grpc: the client connection is closing" }],
    ["was cut off in the middle of a success", 200, undefined],
    ["is another program", 502, undefined],
  ])("is no answer from a member that %s", async (_, status, json) => {
    expect(await outcome(status, json)).toBe("to be asked again");
  });
});
