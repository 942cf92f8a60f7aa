"""The status service as it runs: woken, killed, doubled, cut off from controller and database (spec: rap 4, 11)."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver import db as database
from jobserver import queue
from jobserver.models import ControllerContact, JobRequest, utcnow
from jobserver.queries import active_requests
from jobserver.rap import service
from jobserver.rap.context import Context
from jobserver.rap.service import Pauses, serve
from jobserver.settings import Settings
from tests import factories as f
from tests.contract.recorded import Reply, json_reply
from tests.unit.rap import programs
from tests.unit.rap.conftest import deferred, reload
from tests.unit.rap.controller import TOKEN, Controller, make_context, running_controller
from tests.unit.rap.eventually import eventually, in_background

QUICK = Pauses(shortest=0.05, first=0.1, longest=1.0)
NAME = "test-service"


@pytest.fixture
def controller() -> Iterator[Controller]:
    with running_controller() as running:
        yield running


@pytest.fixture
def own_settings(settings: Settings, controller: Controller) -> Settings:
    return replace(settings, rap_api_base_url=controller.url, rap_api_token=TOKEN)


@pytest.fixture
def make_service(
    own_settings: Settings, session_factory: sessionmaker[Session], controller: Controller
) -> Iterator[Callable[..., Context]]:
    """Contexts with connections of their own, as another process would have."""
    engines = []

    def make(**changes: Any) -> Context:
        engine = database.create_db_engine(own_settings, application_name=NAME)
        engines.append(engine)
        factory = database.session_factory(engine)
        return make_context(replace(own_settings, **changes), factory, controller.url)

    yield make
    for engine in engines:
        engine.dispose()


def followed(controller: Controller, *states: str, **more: Any) -> JobRequest:
    values = {"status": "pending", "settled_at": utcnow(), "last_submitted_at": utcnow(), **more}
    request: JobRequest = f.JobRequestFactory(**values)
    controller.add(request.identifier, *states)
    return request


def polls(controller: Controller) -> int:
    return len(controller.calls("status"))


def wake(db: Session) -> None:
    queue.wake_status_service(db)
    db.commit()


def test_it_follows_requests_at_its_interval(
    db: Session, controller: Controller, make_service: Callable[..., Context]
) -> None:
    request = followed(controller, "running")
    with in_background(serve, make_service(rap_api_poll_interval=1)):
        eventually(lambda: reload(db, request).status == "running")
        controller.move(request.identifier, "succeeded")
        eventually(lambda: reload(db, request).status == "succeeded")


def test_it_is_woken_by_a_new_request(
    db: Session, controller: Controller, make_service: Callable[..., Context]
) -> None:
    request = followed(controller, "running")
    with in_background(serve, make_service(rap_api_poll_interval=3600), pauses=QUICK):
        eventually(lambda: reload(db, request).status == "running")
        controller.move(request.identifier, "succeeded")
        time.sleep(0.3)
        assert reload(db, request).status == "running"
        wake(db)
        eventually(lambda: reload(db, request).status == "succeeded")


def test_many_calls_are_answered_by_few_rounds(
    db: Session, controller: Controller, make_service: Callable[..., Context]
) -> None:
    followed(controller, "running")
    with in_background(serve, make_service(rap_api_poll_interval=3600), pauses=replace(QUICK, shortest=0.5)):
        eventually(lambda: polls(controller) == 1)
        for _ in range(40):
            wake(db)
        eventually(lambda: polls(controller) >= 2)
        time.sleep(1)
        assert polls(controller) <= 4


def test_of_two_services_one_is_active_and_the_other_takes_over(
    db: Session, controller: Controller, make_service: Callable[..., Context]
) -> None:
    followed(controller, "running")

    def active() -> int:
        db.rollback()
        held = text(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
            " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
        )
        return db.scalar(held) or 0

    with in_background(serve, make_service(rap_api_poll_interval=3600), pauses=QUICK) as first:
        eventually(lambda: polls(controller) == 1)
        with in_background(serve, make_service(rap_api_poll_interval=3600), pauses=QUICK):
            time.sleep(1.5)
            assert (polls(controller), active()) == (1, 1)
            first.set()
            eventually(lambda: polls(controller) == 2, within=15)
            assert active() == 1


def test_when_the_active_one_is_killed_the_other_takes_over(
    db: Session, own_settings: Settings, controller: Controller, make_service: Callable[..., Context]
) -> None:
    followed(controller, "running")
    with programs.running("service", replace(own_settings, rap_api_poll_interval=3600)) as process:
        eventually(lambda: polls(controller) == 1, within=20)
        with in_background(serve, make_service(rap_api_poll_interval=3600), pauses=QUICK):
            time.sleep(1)
            assert polls(controller) == 1
            process.kill()
            eventually(lambda: polls(controller) == 2, within=15)


@pytest.mark.parametrize("when", ["asking", "storing"])
def test_a_kill_in_mid_round_loses_nothing_and_doubles_nothing(
    db: Session,
    own_settings: Settings,
    controller: Controller,
    make_service: Callable[..., Context],
    when: str,
) -> None:
    requests = [followed(controller, "succeeded", "failed", will_notify=True) for _ in range(30)]
    db.rollback()
    with programs.running("service", own_settings) as process:
        if when == "asking":
            jobs = [each for rap in controller.jobs.values() for each in rap]
            reply = json_reply({"jobs": jobs, "unrecognised_rap_ids": []}, wait=5)
            controller.says["status"] = [reply]
            eventually(lambda: polls(controller) == 1, within=20)
        else:
            # It has stored the first part and waits for us when it is killed.
            db.execute(select(JobRequest.id).where(JobRequest.id == requests[-1].id).with_for_update())
            waiting = text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            with make_service().session_factory() as other:
                eventually(lambda: (other.scalar(waiting), other.rollback())[0], within=20)
        process.kill()
        process.wait()
    assert deferred(db) == []
    with in_background(serve, make_service(), pauses=QUICK):
        eventually(lambda: {reload(db, each).status for each in requests} == {"failed"})
    assert [name for name, _ in deferred(db)] == ["mail_request_ended"] * 30


def test_while_the_controller_is_down_the_pauses_grow(
    db: Session, controller: Controller, make_service: Callable[..., Context]
) -> None:
    request = followed(controller, "running")
    lost: JobRequest = f.JobRequestFactory(
        status="unknown_error_creating_jobs",
        created_at=utcnow() - timedelta(hours=1),
        last_submitted_at=utcnow(),
        submit_attempts=30,
    )
    controller.down = True
    context = make_service(rap_api_poll_interval=3600)
    with in_background(serve, context, pauses=Pauses(shortest=0.05, first=0.2, longest=60)):
        eventually(lambda: polls(controller) >= 3)
        # 0.2, 0.4, 0.8, 1.6 s apart.
        time.sleep(1)
        assert polls(controller) <= 5
        contact = db.get_one(ControllerContact, 1)
        assert contact.failed_at is not None
        assert contact.reached_at is None
        controller.down = False
        wake(db)
        eventually(lambda: reload(db, request).status == "running")
        # The controller is back: what could not be sent is sent at once, whatever its pause.
        eventually(lambda: reload(db, lost).status == "pending")


def test_pauses_double_up_to_a_limit() -> None:
    pauses = Pauses()
    assert [pauses.after(failures) for failures in (1, 2, 3, 8, 9, 1000)] == [2, 4, 8, 256, 300, 300]


def test_a_request_that_no_worker_took_is_sent(
    db: Session,
    controller: Controller,
    make_service: Callable[..., Context],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(active_requests, "HEAD_START", timedelta(seconds=0.5))
    monkeypatch.setattr(service, "DUE_PAUSE", 0.2)
    request: JobRequest = f.JobRequestFactory()
    with in_background(serve, make_service(rap_api_poll_interval=3600), pauses=QUICK):
        eventually(lambda: reload(db, request).jobs_pending == 1, within=15)


def test_a_lost_database_is_survived(
    db: Session, controller: Controller, make_service: Callable[..., Context]
) -> None:
    request = followed(controller, "running")
    with in_background(serve, make_service(rap_api_poll_interval=1), pauses=QUICK):
        eventually(lambda: reload(db, request).status == "running")
        for _ in range(3):
            ended = db.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = :name AND datname = current_database()"
                ),
                {"name": NAME},
            ).all()
            db.commit()
            assert ended
            time.sleep(0.3)
        controller.move(request.identifier, "succeeded")
        eventually(lambda: reload(db, request).status == "succeeded")


def test_the_state_of_backends_is_learnt_even_without_requests(
    db: Session, controller: Controller, make_service: Callable[..., Context]
) -> None:
    backend = f.BackendFactory(slug="tpp")
    switch = {"status": "on", "since": None}
    controller.backends = [
        {"slug": "tpp", "last_seen": None, "paused": switch, "db_maintenance": {**switch, "type": "manual"}}
    ]

    def maintained() -> bool:
        db.rollback()
        db.refresh(backend)
        return bool(backend.is_in_maintenance_mode and backend.is_paused)

    with in_background(serve, make_service(rap_api_poll_interval=3600), pauses=QUICK):
        eventually(maintained)
    assert polls(controller) == 0


@pytest.mark.parametrize("hanging", [False, True])
def test_sigterm_ends_it_within_ten_seconds(
    db: Session, own_settings: Settings, controller: Controller, hanging: bool
) -> None:
    followed(controller, "running")
    if hanging:
        controller.says["status"] = [Reply(200, b"{}", wait=60)]
    with programs.running("service", own_settings) as process:
        eventually(lambda: polls(controller) == 1, within=20)
        time.sleep(0.2)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert time.monotonic() - began < (10 if hanging else 6)
