"""What happens to requests and jobs is written down, in the transaction in which it is learnt (pages 30.6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import ActionName, Happening, Job, JobRequest, utcnow
from jobserver.queries import happenings
from jobserver.rap.context import Context
from jobserver.rap.round import run_round
from jobserver.rap.submit import Outcome, submit
from jobserver.rap.sync import NOT_KNOWN
from tests import factories as f
from tests.contract.recorded import json_reply
from tests.unit.rap.conftest import reload, settled
from tests.unit.rap.controller import DOWN, PAGE, Controller


def noted(db: Session, request: JobRequest) -> list[tuple[str, str, str, str]]:
    """Kind, status, code and note of all that was written down, in its order."""
    db.rollback()
    rows = db.scalars(select(Happening).where(Happening.job_request_id == request.id).order_by(Happening.id))
    return [(row.kind, row.status, row.status_code, row.note) for row in rows]


def kinds(db: Session, request: JobRequest) -> list[str]:
    return [each[0] for each in noted(db, request)]


def test_asking_and_the_answer_are_noted(db: Session, context: Context, controller: Controller) -> None:
    request = f.JobRequestFactory()
    submit(context, request.id)
    assert kinds(db, request) == ["sent", "accepted"]


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (json_reply({"error": "Bad", "details": "No such <branch>"}, 400), "refused", "No such <branch>"),
        (
            json_reply({"result": "Nothing to do", "details": "All done", "rap_id": "x", "count": 0}),
            "nothing_to_do",
            "All done",
        ),
    ],
)
def test_the_controllers_reason_is_kept(
    db: Session, context: Context, controller: Controller, answer: Any, kind: str, reason: str
) -> None:
    request = f.JobRequestFactory()
    controller.says["create"] = [answer]
    submit(context, request.id)
    assert noted(db, request) == [("sent", "", "", ""), (kind, "", "", reason)]


def test_however_often_there_is_no_answer_it_is_noted_once(
    db: Session, context: Context, controller: Controller
) -> None:
    request = f.JobRequestFactory()
    controller.says["create"] = [DOWN, PAGE, DOWN]
    for _ in range(3):
        assert submit(context, request.id) is Outcome.UNKNOWN
    assert noted(db, request) == [("sent", "", "", ""), ("no_answer", "", "", "")]
    submit(context, request.id)
    assert kinds(db, request) == ["sent", "no_answer", "accepted"]


def test_jobs_that_appear_tell_that_a_request_was_accepted(
    db: Session, context: Context, controller: Controller
) -> None:
    request = f.JobRequestFactory()
    controller.says["create"] = [DOWN]
    submit(context, request.id)
    controller.add(request.identifier, "pending")
    run_round(context)
    assert kinds(db, request) == ["sent", "no_answer", "accepted", "job"]
    assert submit(context, request.id) is Outcome.SETTLED
    run_round(context)
    assert kinds(db, request) == ["sent", "no_answer", "accepted", "job"]


def test_every_change_of_status_or_code_is_noted_with_the_status_before(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled()
    (report,) = controller.add(request.identifier, "pending")
    for changes in (
        {},
        {"status_code": "waiting_on_workers"},
        {"status": "running", "status_code": "executing"},
        {"status_message": "only other words", "metrics": {"cpu_mean": 1}},
        {"status": "pending", "status_code": "waiting_on_reboot"},
        {"status": "failed", "status_code": "nonzero_exit", "completed_at": "2026-01-05T10:00:00Z"},
    ):
        report.update(changes)
        run_round(context)
    assert noted(db, request) == [
        ("job", "pending", "created", ""),
        ("job", "pending", "waiting_on_workers", "pending"),
        ("job", "running", "executing", "pending"),
        ("job", "pending", "waiting_on_reboot", "running"),
        ("job", "failed", "nonzero_exit", "pending"),
    ]
    job = db.scalars(select(Job).where(Job.job_request_id == request.id)).one()
    rows = happenings.of_job(db, job.id)
    assert [row.status_code for row in rows][-1] == "nonzero_exit"
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert rows[0].action == job.action


def test_a_request_that_the_controller_has_lost_is_told_of_once(
    db: Session, context: Context, controller: Controller
) -> None:
    request = settled(created_at=utcnow() - timedelta(minutes=6))
    for _ in range(3):
        run_round(context)
    assert noted(db, request) == [("refused", "", "", NOT_KNOWN)]


def test_a_stale_answer_is_not_a_change(db: Session, context: Context, controller: Controller) -> None:
    request = settled()
    going_on, ended = controller.add(request.identifier, "running", "succeeded")
    run_round(context)
    ended.update(status="running", status_code="executing", completed_at=None)
    going_on.update(status_message="news")
    run_round(context)
    del controller.jobs[request.identifier][1]
    run_round(context)
    assert [each[1] for each in noted(db, request)] == ["running", "succeeded"]


def test_what_cannot_be_stored_is_not_told_either(
    db: Session, context: Context, controller: Controller
) -> None:
    good, bad = settled(), settled()
    controller.add(good.identifier, "running")
    (report,) = controller.add(bad.identifier, "running")
    report["action"] = None
    run_round(context)
    assert kinds(db, good) == ["job"]
    assert kinds(db, bad) == []


def test_names_of_actions_are_kept_for_the_search(
    db: Session, context: Context, controller: Controller
) -> None:
    db.add(ActionName(name="action_1"))
    db.commit()
    for _ in range(2):
        controller.add(settled().identifier, "pending", "pending", "pending")
    run_round(context)
    run_round(context)
    db.rollback()
    assert set(db.scalars(select(ActionName.name))) == {"action_0", "action_1", "action_2"}


def test_a_round_with_much_news_needs_few_statements(
    db: Session, context: Context, controller: Controller, count_statements: Callable[[], Any]
) -> None:
    """300 active requests with 3,000 changed jobs: at most 200 statements."""
    requests = [settled() for _ in range(300)]
    for request in requests:
        controller.add(request.identifier, *["pending"] * 10)
    run_round(context)
    for request in requests:
        controller.move(request.identifier, *["running"] * 10)
    with count_statements() as statements:
        report = run_round(context)
    assert len(report.synced.stored.updated) == 3000
    assert len(statements) <= 60
    assert {reload(db, request).status for request in requests[:3]} == {"running"}
    assert len(noted(db, requests[299])) == 20
