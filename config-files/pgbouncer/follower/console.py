"""PgBouncer's admin console: commands over its Unix socket. It accepts the container's own user as `pgbouncer`."""

from __future__ import annotations

import select
import sys

import psycopg2
import psycopg2.extensions

from ports import PORTS

SOCKET_DIRECTORY = "/run/pgbouncer"


class Console:
    """One connection, opened on demand and reopened when broken. Not thread-safe."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connection = None

    def run(self, command: str) -> list[dict[str, object]]:
        """The rows of the result. Raises psycopg2.Error if PgBouncer does not run or refuses the command."""
        if self.connection is None or self.connection.closed:
            self.connection = psycopg2.connect(
                host=SOCKET_DIRECTORY, port=self.port, dbname="pgbouncer", user="pgbouncer", connect_timeout=2
            )
            self.connection.autocommit = True
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(command)
                if cursor.description is None:
                    return []
                names = [column[0] for column in cursor.description]
                return [dict(zip(names, row)) for row in cursor.fetchall()]
        except psycopg2.OperationalError:
            self.close()
            raise

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Pause:
    """A PAUSE in progress. It is answered when every transaction has ended, so it does not block: poll `done`."""

    def __init__(self, port: int) -> None:
        self.connection = psycopg2.connect(host=SOCKET_DIRECTORY, port=port, dbname="pgbouncer", user="pgbouncer", async_=True)
        while (state := self.connection.poll()) != psycopg2.extensions.POLL_OK:
            reading = state == psycopg2.extensions.POLL_READ
            select.select([self.connection] if reading else [], [] if reading else [self.connection], [], 1.0)
        # Keep the cursor: psycopg2 needs it for the result.
        self.cursor = self.connection.cursor()
        self.cursor.execute("PAUSE")

    def done(self) -> bool:
        return self.connection.poll() == psycopg2.extensions.POLL_OK

    def close(self) -> None:
        self.connection.close()


def main() -> int:
    port = int(sys.argv[2]) if len(sys.argv) > 2 else PORTS["pool"]
    try:
        rows = Console(port).run(sys.argv[1])
    except psycopg2.Error as error:
        print(f"pool-console: {str(error).strip()}", file=sys.stderr)
        return 1
    if rows:
        print("\t".join(rows[0]))
    for row in rows:
        print("\t".join("" if value is None else str(value) for value in row.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
