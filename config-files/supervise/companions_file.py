"""The file that describes a program's companions (supervise --companions).

    {"companions": [{
      "name": "exporter",                      for the log
      "command": ["/usr/bin/exporter", "-v"],  no shell
      "oomScoreAdj": 500,                      0..1000: how much the OOM killer prefers it over the program
      "memoryMiB": 64,                         optional: memory limit with all its children; above it, it is killed and restarted
      "env": {"GOMEMLIMIT": "40MiB"},          optional: added to the container's environment
      "nice": 10,                              optional, 0..19
      "watch": ["/secrets/exporter"],          optional: directories; a change reloads it
      "reload": {"signal": "SIGHUP"}           optional: or {"command": [...]}, which gets the companion's process id in SUPERVISED_PID;
    }]}                                        default: it is restarted

Other keys beside `companions` are ignored here. An invalid companion is ignored, because no companion may keep the program from running. So
is one with an unknown key, which may be a misspelt limit.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9-]*")
SIGNALS = {number.name: number for number in signal.Signals}


@dataclass(frozen=True)
class Description:
    name: str
    command: list[str]
    oom_score_adj: int
    memory_mib: int | None = None
    env: dict[str, str] = field(default_factory=dict)
    nice: int = 0
    watch: list[str] = field(default_factory=list)
    # At most one of them.
    reload_signal: signal.Signals | None = None
    reload_command: list[str] | None = None


def is_name(value: Any) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def is_between(least: int, most: float) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def is_command(value: Any) -> bool:
    return is_list_of_text(value) and value[:1] not in ([], [""])


def is_environment(value: Any) -> bool:
    return isinstance(value, dict) and is_list_of_text(list(value.values()))


def is_reload(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    return value["signal"] in list(SIGNALS) if "signal" in value else is_command(value.get("command"))


COMMAND = "a list of strings, the program first"
# By key: the check of its value, and the rule for the error message.
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (is_name, "a name of a-z, 0-9 and -, a letter first"),
    "command": (is_command, COMMAND),
    "oomScoreAdj": (is_between(0, 1000), "a whole number from 0 to 1000"),
    "memoryMiB": (is_between(1, float("inf")), "a whole number from 1"),
    "env": (is_environment, "an object of strings"),
    "nice": (is_between(0, 19), "a whole number from 0 to 19"),
    "watch": (is_list_of_text, "a list of directories"),
    "reload": (is_reload, f'{{"signal": "SIGHUP"}}, or another signal, or {{"command": ...}} with {COMMAND}'),
}
REQUIRED = ("name", "command", "oomScoreAdj")


def shown(value: Any) -> str:
    """For the log, which must not contain anything long or secret."""
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else json.dumps(value)


def mistakes(entry: Any, taken: set[str]) -> list[str]:
    if not isinstance(entry, dict):
        return [f"it is {shown(entry)}, and must be an object"]
    return [
        *(f"{key} is missing" for key in REQUIRED if key not in entry),
        *(f"{key} is unknown (known: {', '.join(RULES)})" for key in entry if key not in RULES),
        *(
            f"{key} is {shown(entry[key])}, and must be {rule}"
            for key, (holds, rule) in RULES.items()
            if key in entry and not holds(entry[key])
        ),
        *(["the name is already in use"] if is_name(entry.get("name")) and entry["name"] in taken else []),
    ]


def description(entry: dict[str, Any]) -> Description:
    reload = entry.get("reload", {})
    return Description(
        name=entry["name"],
        command=entry["command"],
        oom_score_adj=entry["oomScoreAdj"],
        memory_mib=entry.get("memoryMiB"),
        env=entry.get("env", {}),
        nice=entry.get("nice", 0),
        watch=entry.get("watch", []),
        reload_signal=SIGNALS.get(reload.get("signal")),
        reload_command=reload.get("command"),
    )


def read_companions(path: str) -> tuple[list[Description], list[str]]:
    """The companions in the file, none if there is no file; and the errors, as lines for the log."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        return [], []
    except (OSError, ValueError, RecursionError) as error:
        return [], [f"{path} cannot be read, so there are no companions: {error}"]
    entries = content.get("companions") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        return [], [f'{path} has no list "companions", so there are no companions']
    found: dict[str, Description] = {}
    wrong: list[str] = []
    for index, entry in enumerate(entries):
        if what := mistakes(entry, set(found)):
            name = f" ({entry['name']})" if isinstance(entry, dict) and is_name(entry.get("name")) else ""
            wrong.append(f"{path}: companions[{index}]{name} is ignored: {'; '.join(what)}")
        else:
            found[entry["name"]] = description(entry)
    return list(found.values()), wrong
