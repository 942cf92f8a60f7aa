"""When mails are asked for: with the news, exactly once (spec: rap 4.3 and 11, pages 30.6)."""

import threading
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.clients.rap import StatusReport
from jobserver.models import utcnow
from jobserver.queries import active_requests
from jobserver.rap import sync
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from tests.unit.rap.conftest import deferred, reload, settled, stored
from tests.unit.rap.controller import Controller

MAILS = ("mail_first_failure", "mail_request_ended")


def mails(db: Session) -> list[str]:
    return [name for name, _ in deferred(db, *MAILS)]


def test_one_mail_at_the_first_failure_and_one_at_the_end(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled(will_notify=True)
    controller.add(request.identifier, "running", "running", "running")
    run_round(context)
    assert mails(db) == []
    controller.move(request.identifier, "failed", "running", "running")
    run_round(context)
    assert deferred(db, *MAILS) == [("mail_first_failure", {"job_request_id": request.id})]
    controller.move(request.identifier, "failed", "failed", "running")
    run_round(context)
    run_round(context)
    assert mails(db) == ["mail_first_failure"]
    controller.move(request.identifier, "failed", "failed", "succeeded")
    run_round(context)
    run_round(context)
    assert mails(db) == ["mail_first_failure", "mail_request_ended"]


@pytest.mark.parametrize("states", [["succeeded"], ["failed", "failed"], ["cancelled"]])
def test_a_request_that_ends_at_once_has_one_mail(
    db: Session, context: Context, controller: Controller, states: list[str]
) -> None:
    request = settled(will_notify=True)
    controller.add(request.identifier, *states)
    run_round(context)
    assert mails(db) == ["mail_request_ended"]


def test_a_cancelled_job_is_no_failure(db: Session, context: Context, controller: Controller) -> None:
    request = settled(will_notify=True)
    controller.add(request.identifier, "cancelled", "running")
    run_round(context)
    assert mails(db) == []


def test_who_did_not_ask_for_mails_gets_none(db: Session, context: Context, controller: Controller) -> None:
    request = settled(will_notify=False)
    controller.add(request.identifier, "failed", "running")
    run_round(context)
    controller.move(request.identifier, "failed", "succeeded")
    run_round(context)
    assert mails(db) == []
    assert reload(db, request).status == "failed"


def test_the_mail_is_deferred_exactly_if_the_news_is_stored(
    db: Session, context: Context, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies after everything was written and before it is committed."""
    request = settled(will_notify=True)
    controller.add(request.identifier, "succeeded")

    class Death(BaseException):
        pass

    real = sync.store

    def dying(*args: Any) -> Any:
        real(*args)
        raise Death

    with monkeypatch.context() as patched:
        patched.setattr(sync, "store", dying)
        with pytest.raises(Death):
            run_round(context)
    assert mails(db) == []
    assert stored(db, request) == {}
    run_round(context)
    assert mails(db) == ["mail_request_ended"]
    assert reload(db, request).status == "succeeded"


def test_two_services_that_store_the_same_answer_send_one_mail(
    db: Session, context: Context, controller: Controller
) -> None:
    """Should a service go on after it lost its lock, the row locks keep the count right."""
    requests = [settled(will_notify=True) for _ in range(20)]
    for request in requests:
        controller.add(request.identifier, "running", "running")
    run_round(context)
    for request in requests:
        controller.move(request.identifier, "succeeded", "failed")
    asked = active_requests.to_ask_about(db, utcnow())
    report: StatusReport = context.clients.rap.status([each.identifier for each in asked])
    threads = [threading.Thread(target=sync.store_answer, args=(context, asked, report)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mails(db) == ["mail_request_ended"] * 20
    assert {reload(db, request).status for request in requests} == {"failed"}
