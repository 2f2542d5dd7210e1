"""What a pool does when the database changes: a pure function of its state and of what it observes.

A pool points at one member. In mode `primary` that is the leader; in mode `replica` a replica with little lag, chosen by the pool's ordinal, so
that several pools spread over several replicas; without such a replica, the leader.

- The leader is the member that reports it (Patroni's REST API: it holds the leader key, and its PostgreSQL runs as a primary). Of two, it is the
  one on the higher timeline; of two on the same timeline, neither.
- The pool *holds* its clients (PAUSE: they wait instead of failing) when the leader requests it (before a planned stop, for instance), when the
  follower's session with the target breaks, when the target reports twice that it is not the leader, or when neither its Patroni nor its
  PostgreSQL has answered for SILENCE: a query sent there might never return. It resumes as soon as a target is proven.
- If Patroni cannot be reached, but the follower's session is answered by a PostgreSQL that accepts writes, that counts as leading: only the
  port of the REST API has a problem. A leader elsewhere would report itself.
- A target is proven by the follower's own session with it (which accepts writes, in mode `primary`), so that no client's login fails there. If
  only logging in fails, the member's own report suffices after PROOF_PATIENCE.
- While a gate is closed (a guest of the database does not admit clients yet) the pool holds, whatever else it observes.
- Missing information changes nothing: a member that does not answer is not followed, and a leader is only left for another leader.

`python3 decision.py` reads a JSON list of {rules, state, seen} and prints the list of {state, actions}, for tests.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field, replace

# Seconds after which the report of a member without a successful login is enough.
PROOF_PATIENCE = 3.0
# Seconds after which a requested pause ends if nothing happens.
ASKED_LIMIT = 15.0
# How often in a row a member must report that it does not have the role it is used for.
NOES = 2
# Seconds without an answer after which a replica is no longer used, and after which clients of a leader are held. (It remains the target until
# another leader replaces it.)
SILENCE = 3.0
# Seconds that statements on a former leader may take to end by themselves before their clients are disconnected.
EVICTION_PATIENCE = 1.0


@dataclass(frozen=True)
class Rules:
    mode: str  # "primary" or "replica"
    ordinal: int = 0  # The ordinal of this replica of the pool.


@dataclass(frozen=True)
class Answer:
    """The last answer of a member's Patroni: `primary` (leads and accepts writes), `replica` (may serve reads), `no` (neither), `stopped`
    (nothing listens there: it does not run, or something blocks its port), `silent` (unknown)."""

    kind: str
    timeline: int = 0
    times: int = 1  # How many times in a row.
    seconds: float = 0.0  # For how long.


@dataclass(frozen=True)
class Session:
    """The follower's own session with a member. It disappears from here the moment it breaks."""

    address: str
    seconds: float = 0.0  # Since the member last answered it; it is queried once a second.


@dataclass(frozen=True)
class Stray:
    """A client whose transaction still runs on a former target, and the time since the pool left it."""

    client: str
    seconds: float


@dataclass(frozen=True)
class Seen:
    now: float
    answers: dict[str, Answer] = field(default_factory=dict)
    session: Session | None = None
    lost: str | None = None  # The member with which a session has just broken.
    asked: tuple[str, ...] = ()  # Reasons for which the leader has just requested a pause.
    freed: tuple[str, ...] = ()  # Reasons that it has just withdrawn.
    strays: tuple[Stray, ...] = ()
    closed: tuple[str, ...] = ()  # What clients wait for, per closed gate.


@dataclass(frozen=True)
class Hold:
    asked: tuple[str, ...]  # The leader's reasons: there may be two at once, and each ends by itself.
    since: float
    down: bool = False  # The target has been away since then.


@dataclass(frozen=True)
class State:
    target: str | None = None  # The member that the pool points at.
    hold: Hold | None = None
    best: str | None = None  # The member that it should point at; the follower's session is with it.
    best_since: float = 0.0
    hurry: bool = True  # Members are polled more often.


# A kind and its argument: ("point", target), ("hold", why), ("resume", why), ("evict", clients).
Action = tuple[str, object]


def leader_of(answers: dict[str, Answer]) -> str | None:
    leaders = sorted(((answer.timeline, address) for address, answer in answers.items() if answer.kind == "primary"), reverse=True)
    if not leaders or (len(leaders) > 1 and leaders[0][0] == leaders[1][0]):
        return None
    return leaders[0][1]


def replica_of(rules: Rules, state: State, answers: dict[str, Answer]) -> str | None:
    def usable(address: str, answer: Answer) -> bool:
        if answer.kind == "replica":
            return True
        # A single bad answer, or a short silence, is no reason to move.
        patient = answer.times < NOES if answer.kind in ("no", "stopped") else answer.kind == "silent" and answer.seconds < SILENCE
        return address == state.target and state.hold is None and patient

    replicas = sorted(address for address, answer in answers.items() if usable(address, answer))
    return replicas[rules.ordinal % len(replicas)] if replicas else None


def vouched(state: State, seen: Seen) -> bool:
    """Whether the target's PostgreSQL itself accepts writes while its Patroni cannot be reached."""
    there = seen.session is not None and seen.session.address == state.target and seen.session.seconds < SILENCE
    return there and seen.answers.get(state.target, Answer("silent")).kind in ("silent", "stopped")


def decide(rules: Rules, state: State, seen: Seen) -> tuple[State, list[Action]]:
    best = leader_of(seen.answers)
    if rules.mode == "replica":
        best = replica_of(rules, state, seen.answers) or best
    elif best is None and vouched(state, seen):
        best = state.target
    if best != state.best:
        state = replace(state, best=best, best_since=seen.now)
    state, actions = decide_target(rules, state, seen)
    overdue = tuple(stray.client for stray in seen.strays if stray.seconds >= EVICTION_PATIENCE)
    # Statements on a former leader cannot commit any more. Queries on a former replica remain valid.
    if overdue and state.hold is None and rules.mode == "primary":
        actions.append(("evict", overdue))
    return state, actions


def decide_target(rules: Rules, state: State, seen: Seen) -> tuple[State, list[Action]]:
    target, best = state.target, state.best
    if target is None:
        # There are no clients yet. A pool that was left paused is resumed below.
        if best is None:
            return replace(state, hurry=True), []
        state, pointed = replace(state, target=best), [("point", best)]
        if state.hold is None:
            return replace(state, hurry=False), pointed
        return (state, pointed) if seen.closed else go_on(state, best, pointed)

    answer = seen.answers.get(target, Answer("silent"))
    refused = answer.kind in ("no", "stopped") and answer.times >= NOES and best != target
    if state.hold is None:
        why = reason_to_hold(rules, state, seen, refused)
        if why is None:
            hurry = answer.kind in ("no", "stopped", "silent")
            if best in (None, target) or rules.mode == "primary":
                return replace(state, hurry=hurry), []
            # Both serve reads, so no client needs to wait.
            return replace(state, target=best, hurry=False), [("point", best)]
        state = replace(state, hold=Hold(seen.asked, seen.now, seen.lost == target or refused), hurry=True)
        if best in (None, target) or seen.closed or not proven(state, seen, best):
            return state, [("hold", why)]
        return go_on(state, best, [("hold", why)])

    hold = state.hold
    asked = tuple(sorted(set(hold.asked).difference(seen.freed).union(seen.asked)))
    since = seen.now if seen.asked else hold.since
    hold = replace(hold, asked=asked, since=since, down=hold.down or refused or seen.lost == target)
    state = replace(state, hold=hold)
    if best is None or seen.closed or not proven(state, seen, best):
        return state, []
    if best == target and hold.asked and not hold.down and seen.now - hold.since < ASKED_LIMIT:
        return state, []
    return go_on(state, best, [])


def reason_to_hold(rules: Rules, state: State, seen: Seen, refused: bool) -> str | None:
    if seen.closed:
        return f"clients wait for {', '.join(seen.closed)}"
    if seen.asked:
        return f"requested by {state.target}: {', '.join(seen.asked)}"
    if seen.lost == state.target:
        return f"the session with {state.target} broke"
    if rules.mode == "primary":
        if state.best not in (None, state.target):
            return f"{state.best} leads now"
        if refused:
            return f"{state.target} is not the leader"
        answer = seen.answers.get(state.target, Answer("silent"))
        # Not reached if there is another leader; and with an answered session the target is `best`.
        if state.best is None and answer.kind == "silent" and answer.seconds >= SILENCE:
            return f"{state.target} has not answered for {answer.seconds:.0f} s"
    return None


def proven(state: State, seen: Seen, best: str) -> bool:
    if seen.session is not None and seen.session.address == best and seen.session.seconds < SILENCE:
        return True
    held_since = state.hold.since if state.hold is not None else 0.0
    return seen.now - max(state.best_since, held_since) >= PROOF_PATIENCE


def go_on(state: State, best: str, actions: list[Action]) -> tuple[State, list[Action]]:
    moved: list[Action] = [] if best == state.target else [("point", best)]
    return replace(state, target=best, hold=None, hurry=False), [*actions, *moved, ("resume", best)]


def from_plain(case: dict) -> tuple[Rules, State, Seen]:
    state, seen = dict(case.get("state", {})), dict(case["seen"])
    if state.get("hold"):
        state["hold"] = Hold(**state["hold"])
    seen["answers"] = {address: Answer(**answer) for address, answer in seen.get("answers", {}).items()}
    if seen.get("session"):
        seen["session"] = Session(**seen["session"])
    seen["closed"] = tuple(seen.get("closed", ()))
    seen["strays"] = tuple(Stray(**stray) for stray in seen.get("strays", ()))
    return Rules(**case["rules"]), State(**state), Seen(**seen)


if __name__ == "__main__":
    results = [decide(*from_plain(case)) for case in json.load(sys.stdin)]
    json.dump([{"state": asdict(state), "actions": actions} for state, actions in results], sys.stdout)
