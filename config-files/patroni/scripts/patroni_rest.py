"""This member's Patroni REST API, over verified TLS. Shared by the scripts beside it."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from typing import Any

from ports import PORTS

SECRETS = "/secrets/patroni/patroni.yml"


class Unreachable(Exception):
    """Patroni does not answer."""


def request(method: str, path: str, body: object = None, timeout: float = 4.0) -> tuple[int, str]:
    """Status and body of the answer. Everything but GET is sent with the password."""
    headers = {}
    if method != "GET":
        import yaml  # Patroni's dependency and slow to load: probes do without.

        with open(SECRETS, encoding="utf-8") as file:
            user = yaml.safe_load(file)["restapi"]["authentication"]
        credentials = base64.b64encode(f"{user['username']}:{user['password']}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    try:
        context = ssl.create_default_context(cafile="/secrets/tls/ca.crt")
        connection = http.client.HTTPSConnection("127.0.0.1", PORTS["patroniRest"], timeout=timeout, context=context)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(str(error)) from error


def get(path: str) -> Any:
    """A JSON answer, whatever its status: /patroni answers 503 when PostgreSQL is down, with the state in its body."""
    _, text = request("GET", path)
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unreachable(f"{path} answered {text[:200]!r}") from error


def probe(path: str) -> int:
    """A probe's exit code: 0 when the answer is 200."""
    try:
        status, text = request("GET", path)
    except Unreachable as error:
        print(error)
        return 1
    print(f"{path} {status} {text}".strip())
    return 0 if status == 200 else 1
