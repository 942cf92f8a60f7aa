"""Migrations on databases that are not empty, upwards, downwards, stopped half-way and with old code running."""

import os
import threading
from collections.abc import Iterator

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

from jobserver import migrations
from jobserver.db import SCHEMA, sqlalchemy_url
from tests.conftest import ROOT

SCRIPTS = ROOT / "alembic"

# What the first release wrote: a user, a study, and a request with two jobs.
FIRST_RELEASE = (
    "INSERT INTO \"user\" (id, username, fullname, date_joined) VALUES (1, 'ada', 'Ada', now())",
    "INSERT INTO org (id, name, slug, created_at, updated_at) VALUES (1, 'Org', 'org', now(), now())",
    (
        "INSERT INTO project (id, name, slug, org_id, created_at, created_by_id, updated_at, updated_by_id)"
        " VALUES (1, 'Project', 'project', 1, now(), 1, now(), 1)"
    ),
    (
        "INSERT INTO project_collaboration"
        " (org_id, project_id, created_at, created_by_id, updated_at, updated_by_id)"
        " VALUES (1, 1, now(), 1, now(), 1)"
    ),
    "INSERT INTO repo (id, url) VALUES (1, 'https://github.com/org/study')",
    (
        "INSERT INTO workspace"
        " (id, name, project_id, repo_id, branch, created_at, created_by_id, updated_at, updated_by_id)"
        " VALUES (1, 'main', 1, 1, 'main', now(), 1, now(), 1)"
    ),
    "INSERT INTO backend (id, slug, name, created_at, updated_at) VALUES (1, 'tpp', 'TPP', now(), now())",
)
REQUEST = (
    "INSERT INTO job_request"
    " (id, identifier, backend_id, workspace_id, requested_actions, sha, created_at, created_by_id)"
    " VALUES (1, 'aaaaaaaaaaaaaaaa', 1, 1, '{run_all}', '', now(), 1)"
)
JOB = (
    "INSERT INTO job (job_request_id, workspace_id, backend_id, identifier, action, status, created_at)"
    " VALUES (1, 1, 1, :identifier, :action, 'succeeded', now())"
)
EVENT = "INSERT INTO auditable_event (type, created_at) VALUES (:type, now())"


@pytest.fixture
def empty(postgres: str) -> Iterator[Engine]:
    """A database in which no migration ever ran."""
    address, name = sqlalchemy_url(postgres), f"up_and_down_{os.getpid()}"
    admin = create_engine(address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    before, after = address.split("?", 1)
    engine = create_engine(f"{before.rsplit('/', 1)[0]}/{name}?{after}")
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name}"))
    admin.dispose()


def test_the_code_counts_on_the_newest_of_the_migrations_whose_numbers_only_grow() -> None:
    """Readiness tells an older schema from a newer one by it."""
    numbers = [each.revision for each in ScriptDirectory(str(SCRIPTS)).walk_revisions()]
    assert numbers[0] == SCHEMA
    assert numbers == sorted(numbers, reverse=True)


def first_release(engine: Engine) -> None:
    """The schema and rows of the first release."""
    migrations.upgrade(engine, SCRIPTS, "0001")
    with engine.begin() as connection:
        for statement in (*FIRST_RELEASE, REQUEST):
            connection.execute(text(statement))
        for identifier, action in (("b" * 16, "make"), ("c" * 16, "make"), ("d" * 16, "draw")):
            connection.execute(text(JOB), {"identifier": identifier, "action": action})


def names(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(text("SELECT name FROM action_name")))


def test_everything_is_made_and_unmade(empty: Engine) -> None:
    migrations.upgrade(empty, SCRIPTS)
    assert "job" in inspect(empty).get_table_names()
    migrations.downgrade(empty, SCRIPTS, "base")
    assert inspect(empty).get_table_names() == ["alembic_version"]
    migrations.upgrade(empty, SCRIPTS)


def test_a_second_run_waits_for_the_first_however_long_that_takes(empty: Engine) -> None:
    """Operations 12.79. Ordinary statements of ours have time limits, which the wait must not have."""
    limits = "-c lock_timeout=100ms -c statement_timeout=100ms"
    second = create_engine(empty.url, connect_args={"options": limits})
    failed: list[BaseException] = []

    def migrate() -> None:
        try:
            migrations.upgrade(second, SCRIPTS, "0001")
        except BaseException as error:
            failed.append(error)

    with empty.connect() as first:
        first.execute(text("SELECT pg_advisory_lock(7301215)"))
        waiting = threading.Thread(target=migrate)
        waiting.start()
        waiting.join(1)
        still_waits = waiting.is_alive()
        first.execute(text("SELECT pg_advisory_unlock(7301215)"))
    waiting.join(30)
    second.dispose()
    assert (still_waits, failed) == (True, [])
    assert "job" in inspect(empty).get_table_names()


def test_rows_survive_the_way_up_and_down(empty: Engine) -> None:
    first_release(empty)
    migrations.upgrade(empty, SCRIPTS)
    assert names(empty) == {"make", "draw"}, "names of actions that ran before are found"
    with empty.begin() as connection:
        connection.execute(text(EVENT), {"type": "workspace_archived"})
        connection.execute(text(EVENT), {"type": "workspace_created"})
    migrations.downgrade(empty, SCRIPTS, "0001")
    with empty.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM job")) == 3
        types = connection.scalars(text("SELECT type FROM auditable_event")).all()
    assert types == ["workspace_created"], "the release before does not know the other"
    migrations.upgrade(empty, SCRIPTS)
    assert names(empty) == {"make", "draw"}


def test_the_previous_release_goes_on_writing_on_the_new_schema(empty: Engine) -> None:
    migrations.upgrade(empty, SCRIPTS, "0001")
    migrations.upgrade(empty, SCRIPTS)
    with empty.begin() as connection:
        for statement in (*FIRST_RELEASE, REQUEST):
            connection.execute(text(statement))
        connection.execute(text(JOB), {"identifier": "b" * 16, "action": "make"})
        connection.execute(text(EVENT), {"type": "workspace_created"})


def test_indexes_of_which_one_was_left_unusable_are_made_again(empty: Engine) -> None:
    """A concurrent index whose making is stopped stays behind, invalid and unused."""
    first_release(empty)
    migrations.upgrade(empty, SCRIPTS, "0002")
    with empty.begin() as connection:
        connection.execute(text("CREATE INDEX ix_job_request_sha ON job_request (sha text_pattern_ops)"))
        connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_job_request_sha'::regclass")
        )
    migrations.upgrade(empty, SCRIPTS)
    with empty.connect() as connection:
        unusable = connection.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid"))
        unchecked = connection.scalars(text("SELECT conname FROM pg_constraint WHERE NOT convalidated"))
        assert unusable == 0
        assert unchecked.all() == []
    migrations.check(empty, SCRIPTS)


def test_the_release_before_releases_goes_on_and_comes_back(empty: Engine) -> None:
    migrations.upgrade(empty, SCRIPTS, "0003")
    with empty.begin() as connection:
        for statement in FIRST_RELEASE[:-1]:
            connection.execute(text(statement))
        connection.execute(text(EVENT), {"type": "workspace_archived"})
    migrations.upgrade(empty, SCRIPTS)
    with empty.begin() as connection:
        connection.execute(text(FIRST_RELEASE[-1]))
        connection.execute(text(EVENT), {"type": "workspace_updated"})
        connection.execute(text(EVENT), {"type": "release_created"})
        connection.execute(text('UPDATE "user" SET login_token_failures = 3'))
        connection.execute(
            text(
                "INSERT INTO release (id, workspace_id, backend_id, requested_files, created_at, created_by_id)"
                " VALUES (:id, 1, 1, '[]', now(), 1)"
            ),
            {"id": "01M84YW5GNHCWC70E74K0PWK9X"},
        )
    migrations.downgrade(empty, SCRIPTS, "0003")
    with empty.connect() as connection:
        types = connection.scalars(text("SELECT type FROM auditable_event ORDER BY id")).all()
    assert types == ["workspace_archived", "workspace_updated"], "the release before knows no others"
    migrations.upgrade(empty, SCRIPTS)
    migrations.check(empty, SCRIPTS)
