"""What the programs behind the pages need: settings, sessions, clients. Made once for each process."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from jobserver import db
from jobserver.clients import Clients
from jobserver.models import AuditSource
from jobserver.settings import Settings


@dataclass(frozen=True)
class Context:
    """Shared by all threads of the status service, the worker or a command.

    ``source`` is what audit events say that changes were made by.
    """

    settings: Settings
    session_factory: sessionmaker[Session]
    clients: Clients
    source: str = AuditSource.SERVICE

    @classmethod
    def build(cls, settings: Settings, *, application_name: str = "jobserver-worker") -> Self:
        """Everything made from the settings; :class:`~jobserver.settings.SettingsError` if it cannot be."""
        engine = db.create_db_engine(settings, application_name=application_name)
        return cls(settings, db.session_factory(engine), Clients.from_settings(settings))

    @property
    def engine(self) -> Engine:
        """Where the sessions get their connections."""
        engine: Engine = self.session_factory.kw["bind"]
        return engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end, rolled back on an error."""
        with db.transaction_of(self.session_factory, source=self.source) as session:
            yield session

    @contextmanager
    def alone(self, kind: int, id_: int) -> Iterator[bool]:
        """Whether nobody else is at this thing: true for one process at a time, freed when that dies.

        ``kind`` tells the things apart, see :mod:`jobserver.locks`. No transaction is open meanwhile.
        """
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            taken = bool(connection.scalar(select(func.pg_try_advisory_lock(kind, id_))))
            try:
                yield taken
            finally:
                if taken:
                    connection.execute(select(func.pg_advisory_unlock(kind, id_)))


def stop_on_signals(stop: threading.Event) -> None:
    """Have SIGTERM and SIGINT set the event. To be called in the main thread."""

    def ask(_number: int, _frame: object) -> None:
        # The handler may have interrupted the main thread inside the event's own lock.
        threading.Thread(target=stop.set, daemon=True).start()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
