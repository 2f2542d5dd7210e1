import { describeWithImage } from "../../../support/docker";
import { WITH_FAKE_ETCD } from "../../../support/fake-etcd";
import { runInPatroniImage } from "../../../support/python";

/** A leader that renews its lease: what it makes of the answers, how many members it asked, and whether it still knows its lease. */
const PREAMBLE = `
${WITH_FAKE_ETCD}
RENEWED = {"result": {"header": {"revision": "7"}, "ID": "1", "TTL": "20"}}, 200

def error(code, message, status=500):
    return {"code": code, "message": message}, status

def renewed(first, others=RENEWED):
    global reply
    ending, dcs._lease = current(), "1"
    reply = lambda member, path, body: first if member is ending else others
    asked.clear()
    try:
        leads = dcs._update_leader(SimpleNamespace(session="1"))
    except DCSError:
        leads = "etcd is away"
    return [leads, len(asked), dcs._lease]
`;

describeWithImage("a leader whose lease is good goes on while members of etcd are replaced (H1, H5)", () => {
  const printed = (script: string): unknown => runInPatroniImage(`${PREAMBLE}\n${script}`);

  test.each([
    [
      "the gateway's connection to its server (seen)",
      `error(2, "malformed header: missing HTTP content-type")`,
    ],
    ["a stream that ends (seen)", `error(13, "server closed the stream without sending trailers")`],
    ["a request that is cancelled", `error(1, "grpc: the client connection is closing", 499)`],
    ["a proposal that is dropped", `error(2, "raft proposal dropped")`],
    ["a page of a proxy", `("<html>Bad Gateway</html>", 502)`],
    ["half an answer", `('{"result": {"hea', 200)`],
    ["no text", `("", 200)`],
    ["an error of a member without a leader, which Patroni knows", `error(14, "etcdserver: no leader", 503)`],
  ])("%s is no answer: another member is asked", (_, first) => {
    expect(printed(`print(json.dumps(renewed(${first})))`)).toEqual([true, 2, "1"]);
  });

  test("where no member has an answer, etcd is away, and the lease is not lost", () => {
    const ending = `error(2, "malformed header: missing HTTP content-type")`;
    const [leads, asked, lease] = printed(`print(json.dumps(renewed(${ending}, ${ending})))`) as unknown[];
    expect([leads, lease]).toEqual(["etcd is away", "1"]);
    expect(asked).toBeGreaterThanOrEqual(3);
  });

  test("what etcd itself says is believed at once", () => {
    expect(printed(`print(json.dumps(renewed(error(7, "etcdserver: permission denied", 403))))`)).toEqual([
      ...[false, 1, "1"],
    ]);
  });
});
