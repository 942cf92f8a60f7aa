"""Deliveries: listed with their errors, tried again by staff (spec: operations 4.1)."""

import csv
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions import tasks as actions
from jobserver.models import AuditableEvent
from jobserver.queries.staff.tasks import KINDS, LEFT_OUT
from jobserver.queue import Task
from tests import factories as f
from tests.web.conftest import Browser

TASKS = "/staff/tasks/"
RETRY = f"{TASKS}retry/"


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(f.UserFactory(username="staff-1", fullname="Staff", roles=["StaffAreaAdministrator"]))


def asked(db: Session, task: Task, status: str = "todo", error: str = "", **arguments: Any) -> int:
    """A task in this state; its id."""
    queue.defer(db, task, **arguments)
    id_ = db.scalar(text("SELECT max(id) FROM procrastinate_jobs")) or 0
    change = "UPDATE procrastinate_jobs SET status = CAST(:status AS procrastinate_job_status)"
    db.execute(text(f"{change}, attempts = 3 WHERE id = :id"), {"status": status, "id": id_})
    if error:
        actions.note_failure(db, id_, error)
    db.commit()
    return id_


def failed(db: Session, **values: Any) -> int:
    """A failed announcement of somebody new."""
    user = f.UserFactory(**values)
    return asked(db, Task.ANNOUNCE_NEW_USER, "failed", "Slack did not take the message.", user_id=user.id)


def state(db: Session, id_: int) -> tuple[str, int]:
    """Status and attempts of a task."""
    db.rollback()
    query = "SELECT CAST(status AS text), attempts FROM procrastinate_jobs WHERE id = :id"
    return tuple(db.execute(text(query), {"id": id_}).one())  # type: ignore[return-value]


def rows(page: Any) -> list[str]:
    """The words of each row."""
    found = re.findall(r'<tr role="row">(.*?)</tr>', page.text, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", each)) for each in found[1:]]


def test_every_delivery_says_what_about_whom_where_it_stands_and_what_went_wrong(
    staff: Browser, db: Session
) -> None:
    request = f.JobRequestFactory(workspace=f.WorkspaceFactory(name="asthma"))
    event = f.ReleaseRequestEventFactory()
    failed(db, username="newcomer")
    asked(db, Task.MAIL_REQUEST_ENDED, "succeeded", job_request_id=request.id)
    asked(db, Task.RELEASE_REQUEST_ISSUE, "todo", "GitHub is away.", event_id=event.id)
    page = staff.get(TASKS)
    issue, mail, slack = rows(page)
    assert "GitHub: issue of a release request" in issue
    assert event.release_request_id in issue
    assert "Pending" in issue
    assert "GitHub is away." in issue
    assert "Mail: a job request ended" in mail
    assert f"Job request {request.id}" in mail
    assert "asthma" in mail
    assert "Delivered" in mail
    assert "newcomer" in slack
    assert "Slack did not take the message." in slack
    assert " 3 " in slack
    assert "/staff/users/newcomer/" in page.text
    assert f"/staff/job-requests/{request.id}/" in page.text
    assert page.text.count('name="id"') == 1


def test_odd_arguments_are_survived(staff: Browser, db: Session) -> None:
    asked(db, Task.ANNOUNCE_NEW_USER, user_id="x")
    asked(db, Task.MAIL_REQUEST_ENDED, job_request_id=10**15)
    asked(db, Task.SEND_CANCELLATION, cancellation_id=None)
    db.execute(text("UPDATE procrastinate_jobs SET task_name = 'of_another_release' WHERE id = 1"))
    db.commit()
    assert len(rows(staff.get(TASKS))) == 3
    assert "Of another release" in staff.get(TASKS).text


def test_checks_of_repositories_are_left_out(staff: Browser, db: Session) -> None:
    asked(db, Task.CHECK_REPOSITORY, repo_id=f.RepoFactory().id)
    assert "Nothing was delivered yet" in staff.get(TASKS).text


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("state=failed", 1),
        ("state=pending", 2),
        ("state=failed&state=delivered", 2),
        ("kind=announce_new_user", 1),
        ("kind=mail_request_ended&kind=mail_first_failure&state=pending", 1),
        ("asked=hour", 3),
        ("asked=day", 4),
    ],
)
def test_filters_hold_at_once(staff: Browser, db: Session, query: str, number: int) -> None:
    failed(db)
    asked(db, Task.MAIL_REQUEST_ENDED, "succeeded", job_request_id=1)
    asked(db, Task.MAIL_FIRST_FAILURE, "todo", job_request_id=1)
    asked(db, Task.SUBMIT_JOB_REQUEST, "doing", job_request_id=1)
    db.execute(text("UPDATE procrastinate_events SET at = at - interval '2 hours' WHERE job_id = 1"))
    db.commit()
    assert len(rows(staff.get(f"{TASKS}?{query}"))) == number
    assert "Failed (1)" in staff.get(TASKS).text
    assert "Pending (2)" in staff.get(TASKS).text


@pytest.mark.parametrize("odd", ["state=gone", "kind=check_repository", "asked=never", "kind=%00x"])
def test_what_is_not_offered_is_said(staff: Browser, db: Session, odd: str) -> None:
    failed(db)
    page = staff.get(f"{TASKS}?{odd}")
    assert "Choose among those listed here." in page.text
    assert rows(page) == []


def test_the_list_can_be_taken_away(staff: Browser, db: Session) -> None:
    failed(db, username="newcomer")
    lines = list(csv.reader(staff.get(f"{TASKS}?state=failed&format=csv").text.splitlines()))
    assert lines[1][1:4] == ["failed", "Slack: somebody new signed in", "newcomer"]


def test_no_number_of_rows_costs_more_statements(
    staff: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    failed(db)
    with count_statements() as few:
        staff.get(TASKS)
    for _ in range(12):
        failed(db)
        asked(db, Task.MAIL_REQUEST_ENDED, job_request_id=f.JobRequestFactory().id)
    with count_statements() as many:
        staff.get(TASKS)
    assert len(few) == len(many) <= 12


def test_a_failed_one_is_tried_again_at_once_and_the_audit_log_says_who_wanted_it(
    staff: Browser, db: Session
) -> None:
    id_ = failed(db)
    page = staff.submit(RETRY, {"id": id_}).follow()
    assert "“Slack: somebody new signed in” is tried again now." in page.text
    assert state(db, id_) == ("todo", 0)
    (event,) = db.scalars(select(AuditableEvent)).all()
    assert (event.type, event.created_by, event.target_label) == (
        "task_retried",
        "staff-1",
        "announce_new_user",
    )
    assert (event.changes, event.source) == ({"state": ["failed", "pending"]}, "browser")


@pytest.mark.parametrize("status", ["todo", "doing", "succeeded"])
def test_one_that_has_not_failed_is_left_alone_and_that_is_said(
    staff: Browser, db: Session, status: str
) -> None:
    id_ = asked(db, Task.MAIL_REQUEST_ENDED, status, job_request_id=1)
    page = staff.submit(RETRY, {"id": id_}).follow()
    assert "had not failed, or is tried again already. Nothing was changed." in page.text
    assert state(db, id_) == (status, 3)
    assert db.scalars(select(AuditableEvent)).all() == []


def test_all_failed_ones_of_a_kind_are_tried_again(staff: Browser, db: Session) -> None:
    mine = [failed(db), failed(db)]
    other = asked(db, Task.MAIL_REQUEST_ENDED, "failed", job_request_id=1)
    going_on = asked(db, Task.ANNOUNCE_NEW_USER, "doing", user_id=1)
    page = staff.submit(RETRY, {"kind": "announce_new_user"}).follow()
    assert "2 failed deliveries" in page.text
    assert [state(db, id_)[0] for id_ in (*mine, other, going_on)] == ["todo", "todo", "failed", "doing"]
    (event,) = db.scalars(select(AuditableEvent)).all()
    assert event.target_label == "announce_new_user"
    assert event.changes == {"tasks": ["", ",".join(map(str, mine))]}
    assert (
        "none has failed. Nothing was changed."
        in staff.submit(RETRY, {"kind": "announce_new_user"}).follow().text
    )


@pytest.mark.parametrize(
    "fields", [{}, {"id": ""}, {"id": "x"}, {"id": "-1"}, {"id": "999"}, {"id": 10**30}, {"kind": "emperor"}]
)
def test_what_is_not_there_cannot_be_tried_again(staff: Browser, db: Session, fields: dict[str, Any]) -> None:
    id_ = failed(db)
    staff.submit(RETRY, fields, status=404)
    assert state(db, id_)[0] == "failed"


def test_an_auditor_sees_and_does_not_act(web: Browser, db: Session) -> None:
    id_ = failed(db)
    web.sign_in(f.UserFactory(roles=["Auditor"]))
    page = web.get(TASKS)
    assert "Slack did not take the message." in page.text
    assert "Retry failed" not in page.text
    assert 'name="id"' not in page.text
    web.submit(RETRY, {"id": id_}, status=403)
    assert state(db, id_)[0] == "failed"


def test_every_task_has_words() -> None:
    assert {*KINDS, *LEFT_OUT} == set(Task)
