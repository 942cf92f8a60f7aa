"""The worker: tasks run once, failures are tried again, kills and stops lose nothing."""

import asyncio
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from procrastinate.jobs import Job
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from jobserver import db as database
from jobserver import queue
from jobserver.actions import cancelling
from jobserver.clients.mail import Mailer, SmtpBackend
from jobserver.models import JobRequest, utcnow
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from jobserver.settings import Settings
from jobserver.tasks import app as tasks
from jobserver.tasks import worker
from jobserver.tasks.deliveries import DELIVERIES
from jobserver.tasks.retrying import ATTEMPTS, BackOff, GiveUp
from tests import factories as f
from tests.contract.recorded import Reply
from tests.unit.rap import programs
from tests.unit.rap.conftest import reload
from tests.unit.rap.controller import TOKEN, Controller, Outbox, make_context, running_controller
from tests.unit.rap.eventually import eventually, in_background


@pytest.fixture
def controller() -> Iterator[Controller]:
    with running_controller() as running:
        yield running


@pytest.fixture
def own_settings(settings: Settings, controller: Controller) -> Settings:
    return replace(settings, rap_api_base_url=controller.url, rap_api_token=TOKEN)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def context(
    own_settings: Settings, session_factory: sessionmaker[Session], controller: Controller, outbox: Outbox
) -> Iterator[Context]:
    engine = database.create_db_engine(own_settings, application_name="jobserver-worker")
    yield make_context(own_settings, database.session_factory(engine), controller.url, outbox)
    engine.dispose()


def ask(db: Session, task: Task, **arguments: Any) -> None:
    queue.defer(db, task, **arguments)
    db.commit()


def tasks_now(db: Session) -> list[tuple[str, str, int, datetime | None]]:
    db.rollback()
    rows = db.execute(
        text(
            "SELECT task_name, CAST(status AS text), attempts, scheduled_at FROM procrastinate_jobs"
            # The worker asks for this one by itself.
            " WHERE task_name <> 'announce_support_ends' ORDER BY id"
        )
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


def states(db: Session) -> list[str]:
    return [status for _, status, _, _ in tasks_now(db)]


def test_every_task_that_can_be_asked_for_is_known() -> None:
    assert set(DELIVERIES) == set(Task)


def test_tasks_of_both_queues_are_done(
    db: Session, context: Context, controller: Controller, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "FETCH_EVERY", 60.0)
    request: JobRequest = f.JobRequestFactory()
    ask(db, Task.SUBMIT_JOB_REQUEST, job_request_id=request.id)
    ask(db, Task.ANNOUNCE_NEW_USER, user_id=f.UserFactory(username="newcomer").id)
    with in_background(worker.run, context):
        eventually(lambda: states(db) == ["succeeded", "succeeded"])
        # Those asked for later are begun at once.
        late: JobRequest = f.JobRequestFactory()
        ask(db, Task.SUBMIT_JOB_REQUEST, job_request_id=late.id)
        eventually(lambda: reload(db, late).status == "pending")
    assert reload(db, request).status == "pending"
    assert "New user" in outbox.getvalue()
    assert len(controller.calls("create")) == 2


def test_a_slow_task_does_not_hold_up_the_others(
    db: Session, context: Context, controller: Controller, outbox: Outbox
) -> None:
    controller.says["create"] = [Reply(200, b"", wait=0.9)]
    ask(db, Task.SUBMIT_JOB_REQUEST, job_request_id=f.JobRequestFactory().id)
    with in_background(worker.run, context):
        eventually(lambda: len(controller.calls("create")) == 1)
        ask(db, Task.ANNOUNCE_NEW_USER, user_id=f.UserFactory().id)
        eventually(lambda: states(db) == ["doing", "succeeded"])


def test_a_mail_that_could_not_be_sent_is_tried_again_later(db: Session, context: Context) -> None:
    request = f.JobRequestFactory(status="succeeded")
    refusing = Mailer(SmtpBackend("smtp://127.0.0.1:9"), "us@example.org")
    ask(db, Task.MAIL_REQUEST_ENDED, job_request_id=request.id)
    with in_background(worker.run, replace(context, clients=replace(context.clients, mail=refusing))):
        eventually(lambda: tasks_now(db)[0][2] == 1)
    ((_, status, attempts, due),) = tasks_now(db)
    assert (status, attempts) == ("todo", 1)
    assert due is not None
    assert timedelta(seconds=2) < due - utcnow() <= timedelta(seconds=5)


def test_a_task_that_cannot_succeed_is_kept_as_failed(db: Session, context: Context) -> None:
    ask(db, Task.ANNOUNCE_NEW_USER, user_id=4711)
    with in_background(worker.run, context):
        eventually(lambda: states(db) == ["failed"])


def test_a_cancellation_without_an_answer_is_tried_again(
    db: Session, context: Context, controller: Controller
) -> None:
    request = f.JobRequestFactory(status="pending", settled_at=utcnow())
    controller.add(request.identifier, "running")
    run_round(context)
    cancelling.ask(db, reload(db, request), f.UserFactory())
    db.commit()
    controller.down = True
    with in_background(worker.run, context):
        eventually(lambda: tasks_now(db)[0][2] == 1)
        controller.down = False
        eventually(lambda: states(db) == ["succeeded"], within=15)
    assert len(controller.calls("cancel")) == 1


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 5), (1, 10), (2, 20), (9, 2560), (10, 3600), (ATTEMPTS - 1, 3600)]
)
def test_the_pauses_grow_up_to_an_hour(attempts: int, seconds: int) -> None:
    decision = BackOff().get_retry_decision(exception=ValueError(), job=tried(attempts))
    assert decision is not None
    assert decision.retry_at is not None
    assert abs((decision.retry_at - utcnow()).total_seconds() - seconds) < 2


def tried(attempts: int) -> Any:
    return Job(
        id=1, queue="default", lock=None, queueing_lock=None, task_name="a", task_kwargs={}, attempts=attempts
    )


def test_there_is_an_end_to_trying() -> None:
    assert BackOff().get_retry_decision(exception=ValueError(), job=tried(ATTEMPTS)) is None
    assert BackOff().get_retry_decision(exception=GiveUp("never"), job=tried(0)) is None


@pytest.mark.parametrize("hanging", [False, True])
def test_sigterm_ends_it_within_ten_seconds_and_its_task_is_not_lost(
    db: Session, own_settings: Settings, controller: Controller, hanging: bool
) -> None:
    if hanging:
        controller.says["create"] = [Reply(200, b"", wait=60)]
    request = f.JobRequestFactory()
    ask(db, Task.SUBMIT_JOB_REQUEST, job_request_id=request.id)
    with programs.running("worker", own_settings) as process:
        eventually(lambda: len(controller.calls("create")) == 1, within=20)
        if not hanging:
            eventually(lambda: states(db) == ["succeeded"])
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert time.monotonic() - began < (10 if hanging else 6)
    assert states(db) == (["todo"] if hanging else ["succeeded"])


def test_the_tasks_of_a_killed_worker_are_taken_over(
    db: Session,
    own_settings: Settings,
    context: Context,
    controller: Controller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "SILENCE", 2.0)
    monkeypatch.setattr(worker, "HEARTBEAT", 0.5)
    monkeypatch.setattr(worker, "RESCUE_EVERY", 0.5)
    controller.says["create"] = [Reply(200, b"", wait=60)]
    request: JobRequest = f.JobRequestFactory()
    ask(db, Task.SUBMIT_JOB_REQUEST, job_request_id=request.id)
    with programs.running("worker", own_settings) as process:
        eventually(lambda: len(controller.calls("create")) == 1, within=20)
        process.kill()
        process.wait()
    assert states(db) == ["doing"]
    with in_background(worker.run, context):
        eventually(lambda: states(db) == ["succeeded"])
    assert reload(db, request).status == "pending"


def test_the_tasks_of_a_living_worker_are_left_to_it(db: Session, context: Context) -> None:
    async def rescue() -> int:
        app = tasks.build(context)
        async with app.open_async():
            worker_id = await app.job_manager.register_worker()
            assert await app.job_manager.fetch_job(queues=None, worker_id=worker_id) is not None
            return await worker.rescue(app)

    ask(db, Task.ANNOUNCE_NEW_USER, user_id=f.UserFactory().id)
    assert asyncio.run(rescue()) == 0
    assert states(db) == ["doing"]


def cut_off(db: Session) -> int:
    """End the worker's connections to the database; how many."""
    mine = "application_name = 'jobserver-worker' AND datname = current_database()"
    ended = db.scalars(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")).all()
    db.commit()
    return len(ended)


def test_a_lost_database_is_survived(
    db: Session, context: Context, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SECONDS_BETWEEN_STARTS", 0.2)
    with in_background(worker.run, context):
        first: JobRequest = f.JobRequestFactory()
        ask(db, Task.SUBMIT_JOB_REQUEST, job_request_id=first.id)
        eventually(lambda: reload(db, first).status == "pending")
        for _ in range(3):
            # It may be between two starts.
            eventually(lambda: cut_off(db))
            time.sleep(0.3)
        second: JobRequest = f.JobRequestFactory()
        ask(db, Task.SUBMIT_JOB_REQUEST, job_request_id=second.id)
        eventually(lambda: reload(db, second).status == "pending", within=15)
