"""Being the one active status service: a lock that PostgreSQL takes back when its holder dies."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import psycopg
import structlog
from sqlalchemy import Engine

from jobserver import locks
from jobserver.queue import STATUS_SERVICE_CHANNEL

log = structlog.get_logger(__name__)

# Seconds between two looks at the lock, and between two looks at the event that ends us.
LOCK_PAUSE = 1.0
STOP_PAUSE = 0.25


class Leadership:
    """A connection of our own that holds the lock and hears who wants a round."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection

    @classmethod
    def connect(cls, engine: Engine) -> Self:
        """A new connection. Raises what the driver raises if there is no database."""
        borrowed = engine.raw_connection()
        connection = borrowed.driver_connection
        assert isinstance(connection, psycopg.Connection)  # noqa: S101
        borrowed.detach()
        connection.autocommit = True
        # Should our machine vanish, the server notices within a minute.
        for setting in (
            "tcp_keepalives_idle = 30",
            "tcp_keepalives_interval = 10",
            "tcp_keepalives_count = 3",
        ):
            connection.execute(f"SET {setting}")
        return cls(connection)

    def acquire(self, stop: threading.Event) -> bool:
        """Wait for the lock; False if we are to stop first."""
        waiting = False
        while not stop.is_set():
            row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", [locks.SERVICE]).fetchone()
            if row and row[0]:
                self._connection.execute(f"LISTEN {STATUS_SERVICE_CHANNEL}")
                log.info("rap_service_active")
                return True
            if not waiting:
                log.info("rap_service_stands_by")
                waiting = True
            stop.wait(LOCK_PAUSE)
        return False

    def check(self) -> None:
        """Raise if the connection, and with it the lock, is lost."""
        self._connection.execute("SELECT 1")

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait so long, until somebody wants a round (True) or until we are to stop."""
        end = time.monotonic() + seconds
        woken = False
        while not (woken or stop.is_set()):
            left = end - time.monotonic()
            if left <= 0:
                break
            for _ in self._connection.notifies(timeout=min(left, STOP_PAUSE), stop_after=1):
                woken = True
        # However often we were called meanwhile, one round does.
        for _ in self._connection.notifies(timeout=0):
            woken = True
        return woken

    def close(self) -> None:
        """Give the lock back."""
        with suppress(psycopg.Error):
            self._connection.close()


@contextmanager
def leadership(engine: Engine, stop: threading.Event) -> Iterator[Leadership | None]:
    """The leadership, once it is ours; None if we are to stop before."""
    leader = Leadership.connect(engine)
    try:
        yield leader if leader.acquire(stop) else None
    finally:
        leader.close()
