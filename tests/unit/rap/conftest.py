"""A controller on loopback, and a context that reaches it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver.models import Job, JobRequest, utcnow
from jobserver.rap.context import Context
from jobserver.settings import Settings
from tests import factories as f
from tests.unit.rap.controller import Controller, Outbox, make_context, running_controller


@pytest.fixture
def controller() -> Iterator[Controller]:
    with running_controller() as running:
        yield running


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def context(
    settings: Settings, session_factory: sessionmaker[Session], controller: Controller, outbox: Outbox
) -> Context:
    return make_context(settings, session_factory, controller.url, outbox)


def reload(db: Session, job_request: JobRequest) -> JobRequest:
    """The request as it is stored now."""
    db.expire_all()
    db.rollback()
    found = db.get(JobRequest, job_request.id)
    assert found is not None
    return found


def deferred(db: Session, *tasks: str) -> list[tuple[str, dict[str, int]]]:
    """The tasks that were asked for, of these names or of all."""
    db.rollback()
    rows = db.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id"))
    return [(name, args) for name, args in rows if not tasks or name in tasks]


def settled(**more: Any) -> JobRequest:
    """A request that the controller has accepted."""
    values = {"status": "pending", "settled_at": utcnow(), "last_submitted_at": utcnow(), **more}
    request: JobRequest = f.JobRequestFactory(**values)
    return request


def stored(db: Session, request: JobRequest) -> dict[str, Job]:
    db.rollback()
    db.expire_all()
    jobs = db.scalars(select(Job).where(Job.job_request_id == request.id))
    return {each.identifier: each for each in jobs}
