import { checkContainer } from "../../../commands/doctor";

test.each([
  ["running", "Up 2 minutes (healthy)", undefined],
  ["running", "Up 2 minutes (unhealthy)", "its log says why: docker logs --tail 50 a"],
  ["exited", "Exited (137) 3 seconds ago", "bring it back, with its data: docker start a, or 'make up'"],
  ["created", "Created", "bring it back, with its data: docker start a, or 'make up'"],
  [
    "paused",
    "Up 4 minutes (Paused)",
    "bring it back, with its data: docker unpause a (docs/runbooks/member-frozen.md)",
  ],
])("doctor says of a container that is %s (%s) what brings it back (F8)", (state, status, remedy) => {
  const finding = checkContainer({ name: "a", workload: "patroni", state, status });
  expect(finding).toEqual({
    ...{ ok: remedy === undefined, part: "a", seen: status },
    ...(remedy !== undefined && { remedy }),
  });
});
