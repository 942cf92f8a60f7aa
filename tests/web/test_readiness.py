"""Whether the site is ready, as a monitor asks (spec: operations 12.67)."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.models import ControllerContact, utcnow
from jobserver.queries import readiness
from tests.conftest import make_settings
from tests.web.conftest import Browser

NO_WORKER = "worker: not heard from"
NO_ROUND = "status service: no round for some time"


def contact(db: Session, **minutes_ago: float) -> None:
    """When the controller was reached, and when it could not be."""
    moments = {name: utcnow() - timedelta(minutes=minutes) for name, minutes in minutes_ago.items()}
    db.merge(ControllerContact(id=1, **{"reached_at": None, "failed_at": None, **moments}))
    db.commit()


def worker(db: Session, seconds_ago: float) -> None:
    """A worker that was last heard from then."""
    statement = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (:at)"
    db.execute(text(statement), {"at": utcnow() - timedelta(seconds=seconds_ago)})
    db.commit()


def faults(web: Browser) -> list[str]:
    """What is wrong, as the page says it."""
    answer = web.get("/health/ready", status=503)
    assert (answer.content_type, answer.headers["Cache-Control"]) == ("text/plain", "no-store")
    return answer.text.splitlines()


@pytest.fixture
def version(engine: Engine) -> Iterator[Callable[[str], None]]:
    """Sets what the database says its schema is."""

    def say(number: str) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})

    with engine.connect() as connection:
        before = connection.scalar(text("SELECT version_num FROM alembic_version"))
    yield say
    say(before)


def test_the_site_is_ready_while_worker_and_status_service_live(
    web: Browser, db: Session, count_statements: Any
) -> None:
    assert faults(web) == [NO_WORKER, NO_ROUND]
    worker(db, 1_000)
    worker(db, 70)
    contact(db, reached_at=11)
    assert faults(web) == [NO_WORKER, NO_ROUND]
    worker(db, 50)
    assert faults(web) == [NO_ROUND]
    contact(db, reached_at=9)
    with count_statements() as sent:
        answer = web.get("/health/ready", status=200)
    assert (answer.text, answer.content_type) == ("ready\n", "text/plain")
    assert len(sent) == 2
    assert sent.writes == []
    # It could not be asked, but somebody asks.
    contact(db, reached_at=60, failed_at=6)
    web.get("/health/ready/", status=200)
    web.head("/health/ready", status=200)
    for path in ("/health/", "/health/other", "/health/ready/more"):
        web.get(path, status=404)


def test_a_schema_older_than_the_code_is_no_good_and_a_newer_one_is(
    web: Browser, db: Session, version: Callable[[str], None], engine: Engine
) -> None:
    worker(db, 0)
    contact(db, reached_at=0)
    version("0001")
    assert faults(web) == ["schema: older than this release"]
    version("9999")
    web.get("/health/ready", status=200)
    rename = "ALTER TABLE {} RENAME TO {}"
    with engine.begin() as connection:
        connection.execute(text(rename.format("alembic_version", "alembic_aside")))
    try:
        assert faults(web) == ["schema: jobserver migrate has not been run"]
    finally:
        with engine.begin() as connection:
            connection.execute(text(rename.format("alembic_aside", "alembic_version")))
    web.get("/health/ready", status=200)


def test_a_database_that_does_not_answer_is_named_without_details(
    web: Browser, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Browser(make_app(make_settings("postgresql://secret@127.0.0.1:9/x")))
    assert faults(away) == ["database: no answer"]
    monkeypatch.setattr(readiness, "PATIENCE", 50)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE procrastinate_workers IN ACCESS EXCLUSIVE MODE"))
        assert faults(web) == ["database: no answer"]
    assert faults(web) == [NO_WORKER, NO_ROUND]
