import { describeWithImage } from "../../../support/docker";
import { WITH_FAKE_ETCD } from "../../../support/fake-etcd";
import { runInPatroniImage } from "../../../support/python";

/** An etcd that knows no more than the leader's key. */
const PREAMBLE = `
${WITH_FAKE_ETCD}
holder, electing_until = None, 0

def reply(member, path, body):
    global holder
    if electing_until > time.monotonic():
        return {"code": 14, "message": "etcdserver: leader changed"}, 503
    succeeded = base64.b64decode(body["compare"][0]["value"]).decode() == holder
    holder = None if succeeded else holder
    return {"succeeded": succeeded, "header": {"revision": "7"}}, 200

def released(of):
    """What Patroni thinks of it, whose the key is, how often a member was asked, for how many seconds."""
    global holder
    holder, started = of, time.monotonic()
    asked.clear()
    return [dcs.delete_leader(True), holder, len(asked), time.monotonic() - started]
`;

describeWithImage("a leader that hands over releases its key although etcd loses a member (H1, H5)", () => {
  const printed = (script: string): unknown => runInPatroniImage(`${PREAMBLE}\n${script}`);

  test("the member that is asked has left: another one is asked", () => {
    expect(
      printed(`
current().shutdown()
current().server_close()
print(json.dumps(released("me")[:3]))`),
    ).toEqual([true, null, 1]);
  });

  test("etcd elects a leader: it is asked until it has one, and not for ever", () => {
    expect(
      printed(`
electing_until = time.monotonic() + 0.5
short = released("me")
electing_until = time.monotonic() + 60
long = released("me")
print(json.dumps([short[:2], long[:2], long[2] > 1, long[3] < 10]))`),
    ).toEqual([[true, null], [false, "me"], true, true]);
  });

  test("the key of another member is left alone, and it is asked for once", () => {
    expect(printed(`print(json.dumps(released("another")[:3]))`)).toEqual([false, "another", 1]);
  });
});
