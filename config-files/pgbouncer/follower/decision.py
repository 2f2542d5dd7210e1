"""What a pool does when the database changes: a pure function of what is remembered and what is seen.

A pool points at one member. In mode `primary` that is the leader; in mode `replica` a replica that lags little, which one depends on the
pool's ordinal, so that several pools spread over several replicas; when there is none, the leader.

- The leader is the member that says so itself (Patroni's REST API: it holds the lock, and its PostgreSQL runs as a primary). Of two, the one
  on the higher timeline; of two on the same one, none.
- The pool *holds* (PAUSE: clients wait instead of failing) when the leader asks for it (before a planned stop, say), when the follower's session with
  the target breaks, when the leader says twice that it is none, or when neither its Patroni nor its PostgreSQL has answered for SILENCE: what
  would be sent there now might never come back. It goes on as soon as a target is proven.
- Where Patroni cannot be reached but the follower's session is answered by a PostgreSQL that takes writes, that is the leader's word: nothing
  is wrong but the port of the REST API. A leader that is elsewhere says so itself.
- A target is proven by a session of the follower there (which takes writes, in mode `primary`), so no login of a client fails there. Where
  logging in is what fails, the member's own word suffices after PROOF_PATIENCE.
- While a gate is closed (a guest of the database says that clients must not come yet) the pool holds, whatever else it sees.
- What nobody knows changes nothing: a member that does not answer is not followed, and a leader is left only for another leader.

`python3 decision.py` reads a JSON list of {rules, state, seen} and prints the list of {state, actions}: that is how it is tested.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field, replace

# Seconds after which the word of a member that logs nobody in is enough.
PROOF_PATIENCE = 3.0
# Seconds after which a pause that was asked for ends, if nothing came of it.
ASKED_LIMIT = 15.0
# How often in a row a member must say that it is not what it is used for.
NOES = 2
# Seconds without an answer after which a replica is no longer used, and after which clients of a leader are held. (It stays the target: only
# another leader replaces it.)
SILENCE = 3.0
# Seconds that statements on a former leader may take to end by themselves, before their clients are cut off.
EVICTION_PATIENCE = 1.0


@dataclass(frozen=True)
class Rules:
    mode: str  # "primary" or "replica"
    ordinal: int = 0  # Which replica of the pool this is.


@dataclass(frozen=True)
class Answer:
    """The last answer of a member's Patroni: `primary` (leads and takes writes), `replica` (may serve reads), `no` (neither), `stopped`
    (nothing listens there: it does not run, or somebody refuses us its port), `silent` (nobody knows)."""

    kind: str
    timeline: int = 0
    times: int = 1  # How often in a row.
    seconds: float = 0.0  # For how long.


@dataclass(frozen=True)
class Session:
    """The follower's own session with a member. It is gone from here in the moment it breaks."""

    address: str
    seconds: float = 0.0  # Since the member answered it last; it is asked once a second.


@dataclass(frozen=True)
class Stray:
    """A client whose transaction still runs on a former target, and for how long since the pool left that."""

    client: str
    seconds: float


@dataclass(frozen=True)
class Seen:
    now: float
    answers: dict[str, Answer] = field(default_factory=dict)
    session: Session | None = None
    lost: str | None = None  # The member with which a session has just broken.
    asked: tuple[str, ...] = ()  # For what the leader has just asked for a pause.
    freed: tuple[str, ...] = ()  # For what it needs none any more.
    strays: tuple[Stray, ...] = ()
    closed: tuple[str, ...] = ()  # What clients wait for, by those gates that are not open.


@dataclass(frozen=True)
class Hold:
    asked: tuple[str, ...]  # For what the leader asked for it: it may have two reasons at once, and each ends by itself.
    since: float
    down: bool = False  # The target has been away since.


@dataclass(frozen=True)
class State:
    target: str | None = None  # What the pool points at.
    hold: Hold | None = None
    best: str | None = None  # What it should point at, and whom the follower's session should be with.
    best_since: float = 0.0
    hurry: bool = True  # Members are asked often.


# A kind and what it concerns: ("point", target), ("hold", why), ("resume", why), ("evict", clients).
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
        # One bad answer, or none for a moment, is no reason to move.
        patient = answer.times < NOES if answer.kind in ("no", "stopped") else answer.kind == "silent" and answer.seconds < SILENCE
        return address == state.target and state.hold is None and patient

    replicas = sorted(address for address, answer in answers.items() if usable(address, answer))
    return replicas[rules.ordinal % len(replicas)] if replicas else None


def vouched(state: State, seen: Seen) -> bool:
    """Whether the target's PostgreSQL takes writes by its own word, while its Patroni cannot be asked."""
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
    # What runs on a former leader can commit no more. A query on a former replica is as good as ever.
    if overdue and state.hold is None and rules.mode == "primary":
        actions.append(("evict", overdue))
    return state, actions


def decide_target(rules: Rules, state: State, seen: Seen) -> tuple[State, list[Action]]:
    target, best = state.target, state.best
    if target is None:
        # Nothing is served yet, so there is no client to be careful for. A pool that was left paused is resumed below.
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
            # Both serve reads, so nobody needs to wait.
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
        return f"{state.target} asks for it: {', '.join(seen.asked)}"
    if seen.lost == state.target:
        return f"the session with {state.target} broke"
    if rules.mode == "primary":
        if state.best not in (None, state.target):
            return f"{state.best} leads now"
        if refused:
            return f"{state.target} is not the leader"
        answer = seen.answers.get(state.target, Answer("silent"))
        # With another leader in sight this is not reached, and with a session that is answered the target is the best.
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
