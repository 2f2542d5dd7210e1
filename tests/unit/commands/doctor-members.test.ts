import { checkMember } from "../../../commands/doctor/members";
import { dockerMembers } from "../../../components/reach/docker/cluster-members";

const stack = { name: "prod", settings: "", state: "" };

test.each([
  ["running", "ready", "Up 2 minutes (healthy)", undefined],
  [
    "running",
    "unready",
    "Up 2 minutes (unhealthy)",
    "its log shows why: 'make logs MEMBER=a TAIL=50 STACK=prod'",
  ],
  [
    "exited",
    "unready",
    "Exited (137) 3 seconds ago",
    "bring it back, with its data: docker start a, or 'make up STACK=prod'",
  ],
  ["created", "unready", "Created", "bring it back, with its data: docker start a, or 'make up STACK=prod'"],
  [
    "paused",
    "unready",
    "Up 4 minutes (Paused)",
    "bring it back, with its data: docker unpause a (docs/runbooks/member-frozen.md)",
  ],
] as const)(
  "doctor says of a member that is %s, %s (%s) what brings it back (F8)",
  (state, readiness, status, remedy) => {
    const finding = checkMember(
      { stack, reach: dockerMembers("pg", "'make up STACK=prod'") },
      { name: "a", state, readiness, status },
    );
    expect(finding).toEqual({
      ...{ ok: remedy === undefined, part: "a", seen: status },
      ...(remedy !== undefined && { remedy }),
    });
  },
);
