"""The web process that is measured: the application as in production, with a clock around it.

Each answer says in headers how long the application took, body included, and how many statements it sent.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import event

from jobserver import db, make_app
from jobserver.scripts import web
from tests.benchmarks.configuration import settings_for

SECONDS, STATEMENTS = "X-Bench-Seconds", "X-Bench-Statements"
_sent = threading.local()


def measured(application: Any) -> Callable[..., Iterable[bytes]]:
    """The application with the two headers on its answers."""

    def wrapper(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        _sent.statements = 0
        began = time.perf_counter()
        told: list[Any] = []
        answer = application(environ, lambda *start: told.append(start))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        took = time.perf_counter() - began
        status, headers, *rest = told[0]
        more = [(SECONDS, f"{took:.6f}"), (STATEMENTS, str(_sent.statements))]
        start_response(status, [*headers, *more], *rest)
        return [body]

    return wrapper


def _count(*_: Any) -> None:
    _sent.statements = getattr(_sent, "statements", 0) + 1


def main(fd: str, port: str, database_url: str, storage: str = "releases") -> None:
    """Serve until told to stop."""
    settings = settings_for(database_url, port=int(port), storage=storage)
    engine = db.create_db_engine(settings)
    event.listen(engine, "before_cursor_execute", _count)
    application = measured(make_app(settings, engine=engine))
    web.serve(application, web.inherited_socket(int(fd)), settings, threads=8)
