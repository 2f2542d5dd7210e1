"""Settings that the system's own sessions need, whatever the server's parameters are. They are passed at login, because a standby refuses
the first statement of a session whose transactions would be serializable. The same list for TypeScript: config-files/postgres/pins.ts.
"""

from __future__ import annotations

PINS = {
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    # Each session sets its own timeouts.
    "statement_timeout": "0",
    "lock_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "search_path": '"$user", public',
    "row_security": "on",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "default_table_access_method": "heap",
    "restrict_nonsystem_relation_kind": "",
    "exit_on_error": "off",
    "local_preload_libraries": "",
}

# Only a superuser may set these.
SUPERUSER_PINS = {
    **PINS,
    # With a library that does not exist every login fails.
    "session_preload_libraries": "",
    "session_replication_role": "origin",
}


def pins(user: str) -> dict[str, str]:
    """The settings for a session of that role."""
    return SUPERUSER_PINS if user == "postgres" else PINS


def options(pinned: dict[str, str]) -> str:
    """For libpq's `options`: https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-CONNECT-OPTIONS"""
    return " ".join(f"-c {name}=" + value.replace("\\", "\\\\").replace(" ", "\\ ") for name, value in pinned.items())
