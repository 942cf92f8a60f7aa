"""The database: engine, session, and how a request's transaction is wired.

A request that only reads (GET, HEAD, OPTIONS) runs in a READ ONLY transaction, so
that the rule "a GET never writes" is kept by PostgreSQL itself. A view that has to
write on GET says so with ``view_config(writes_on_get=True)``; a test holds the list.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import zope.sqlalchemy
from pyramid.config import Configurator
from pyramid.request import Request
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from jobserver.settings import Settings

# The newest migration that the code counts on.
SCHEMA = "0010"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def sqlalchemy_url(database_url: str) -> str:
    """The address in the form that chooses psycopg 3."""
    for prefix in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if database_url.startswith(prefix):
            return "postgresql+psycopg://" + database_url.removeprefix(prefix)
    return database_url


def create_db_engine(settings: Settings, *, application_name: str = "jobserver") -> Engine:
    """An engine that notices broken connections and never waits for ever."""
    return create_engine(
        sqlalchemy_url(settings.database_url),
        pool_size=settings.database_pool_size,
        max_overflow=4,
        pool_timeout=10,
        pool_pre_ping=True,
        # The connection used last: its statements are prepared, and the others stay small.
        pool_use_lifo=True,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c statement_timeout=30s -c lock_timeout=10s "
            "-c idle_in_transaction_session_timeout=120s",
        },
    )


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions whose objects stay readable after a commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction_of(factory: sessionmaker[Session], *, source: str = "service") -> Iterator[Session]:
    """A session in one transaction: committed at the end, rolled back on an error.

    ``source`` is what audit events say that changes were made by.
    """
    with factory(info={"source": source}) as session, session.begin():
        yield session


def request_session(request: Request) -> Session:
    """The request's session, joined to its transaction; read-only for safe methods."""
    engine: Engine = request.registry["engine"]
    reads_only = request.method in SAFE_METHODS
    session: Session = request.registry["session_factory"](
        bind=engine.execution_options(postgresql_readonly=True) if reads_only else engine
    )
    session.info["source"] = "api" if request.path_info.startswith("/api/") else "browser"
    zope.sqlalchemy.register(session, transaction_manager=request.tm)
    return session


def release_connection(request: Request) -> None:
    """End the transaction before another system is asked; the next statement begins a new one.

    What was changed so far is committed. Objects loaded before stay readable, but belong to no session.
    """
    request.tm.commit()
    request.tm.begin()


def _honour_writes_on_get(view: Any, info: Any) -> Any:
    if not info.options.get("writes_on_get"):
        return view

    def writing_view(context: Any, request: Request) -> Any:
        release_connection(request)
        request.db.bind = request.registry["engine"]
        return view(context, request)

    return writing_view


_honour_writes_on_get.options = ("writes_on_get",)  # type: ignore[attr-defined]


def includeme(config: Configurator) -> None:
    """Add ``request.db`` and the transaction around each request."""
    # Who asks is looked up in the database: not before the place where a lost database becomes a page.
    config.add_settings({"tm.manager_hook": "pyramid_tm.explicit_manager", "tm.annotate_user": "no"})
    config.include("pyramid_tm")
    settings: Settings = config.registry["settings"]
    engine = config.registry.get("engine") or create_db_engine(settings, application_name="jobserver-web")
    config.registry["engine"] = engine
    config.registry["session_factory"] = session_factory(engine)
    config.add_request_method(request_session, "db", reify=True)
    config.add_view_deriver(_honour_writes_on_get, name="writes_on_get")
