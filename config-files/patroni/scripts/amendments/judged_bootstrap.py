"""Before the database is created, PostgreSQL checks the configuration: see postgres-judge.

Patroni would create it, fail to start it, remove it and start over, for ever, with the reason somewhere in the log. `pulumi up` looks for the line
that is logged here. Members that join a running cluster skip the check: they have the configuration of those that run.

Upstream: `--validate-config` knows Patroni's own settings, but not PostgreSQL's.
"""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from amendments import amends, relies_on

BOOTSTRAP = Path("/etc/patroni-bootstrap/bootstrap.yml")
# Missing if no setting was chosen: the defaults need no check.
QUESTION = Path("/etc/patroni-bootstrap/question.json")
TIMEOUT_SECONDS = 300

logger = logging.getLogger(__name__)

relies_on(
    {
        # Ends the process when the bootstrap fails; neither a database nor a key in the DCS is left.
        "patroni.ha:Ha.post_bootstrap": "d82e50b93ab54f84",
        "patroni.ha:Ha.cancel_initialization": "061d6026808237e4",
    }
)


def question() -> str:
    """The question for `postgres-judge`: the parameters that the database would get, and the other fields of the question."""
    bootstrap = yaml.safe_load(BOOTSTRAP.read_text(encoding="utf-8"))["bootstrap"]
    return json.dumps({**json.loads(QUESTION.read_text(encoding="utf-8")), "parameters": bootstrap["dcs"]["postgresql"]["parameters"]})


def judgement() -> list[dict[str, str]]:
    """What PostgreSQL refuses; empty if the check cannot run, since starting the database will then show it."""
    try:
        done = subprocess.run(["postgres-judge", question()], capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        if done.returncode == 0:
            return json.loads(done.stdout)
        reason = done.stderr.strip()
    except (OSError, ValueError, LookupError, subprocess.SubprocessError) as error:
        reason = repr(error)
    logger.warning("PostgreSQL could not check the configuration: %s", reason)
    return []


@amends("patroni.postgresql.bootstrap:Bootstrap._initdb", "4a84725447be21b0")
def _initdb(upstream: Callable[..., Any], bootstrap: Any, config: Any) -> bool:
    """False: the bootstrap has failed."""
    refusals = judgement() if QUESTION.exists() else []
    for refusal in refusals:
        logger.error("no database is made: PostgreSQL refuses %s: %s", refusal["about"] or "the configuration", refusal["said"])
    return not refusals and upstream(bootstrap, config)
