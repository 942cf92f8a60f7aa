"""What has happened to a request: on its page, and step by step on a page of its own (spec: pages 30.6)."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.models import Cancellation, Happening, Job, JobRequest
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.running import ago, job, member, path, refresh, requested


def note(db: Session, request: JobRequest, kind: str, at: datetime, **fields: Any) -> None:
    db.add(Happening(job_request_id=request.id, kind=kind, at=at, **fields))
    db.commit()


def moved(
    db: Session, one: Job, at: datetime, status: str, code: str, before: str = "", **fields: Any
) -> None:
    note(
        db,
        one.job_request,
        "job",
        at,
        job_id=one.id,
        status=status,
        status_code=code,
        note=before,
        **fields,
    )


def told(page: Any) -> list[str]:
    """The events on the page as text, from top to bottom."""
    (events,) = re.findall(r'<ol class="events.*?</ol>', page.text, re.DOTALL)
    items = re.findall(r"<li.*?</li>", events, re.DOTALL)
    return [" ".join(re.sub(r"<.*?>", " ", item).split()) for item in items]


def in_order(found: list[str], *wanted: str) -> bool:
    """Whether events that begin so stand in this order, among others."""
    rest = iter(found)
    return all(any(event.startswith(words) for event in rest) for words in wanted)


@pytest.fixture
def request_(db: Session) -> JobRequest:
    """A request that was sent, failed in part, was cancelled in part, and ended."""
    request = requested(will_notify=True)
    note(db, request, "sent", ago(60))
    note(db, request, "no_answer", ago(59))
    note(db, request, "accepted", ago(58))
    table = job(
        request,
        "failed",
        "nonzero_exit",
        action="table",
        started_at=ago(50),
        completed_at=ago(40),
        status_message="Job exited with an <error>",
    )
    report = job(request, "failed", "cancelled_by_user", action="report", started_at=None)
    for one in (table, report):
        moved(db, one, ago(57), "pending", "created")
    moved(db, table, ago(50), "running", "initiated", "pending")
    moved(db, table, ago(49), "running", "executing", "running")
    moved(db, report, ago(48), "pending", "waiting_on_workers", "pending")
    moved(db, table, ago(40), "failed", "nonzero_exit", "running")
    note(db, request, "mailed", ago(39), note="first_failure")
    who = f.UserFactory(username="ada")
    db.add(
        Cancellation(
            job_request_id=request.id,
            actions=["report"],
            created_at=ago(30),
            created_by_id=who.id,
            sent_at=ago(29),
            sent_actions=["report"],
        )
    )
    moved(db, report, ago(28), "failed", "cancelled_by_user", "pending")
    refresh(db, request)
    note(db, request, "mailed", ago(10), note="request_ended")
    return request


MILESTONES = (
    "The mail about its end was sent",
    "Ended: 1 failed, 1 cancelled",
    "report was cancelled",
    "TPP accepted the cancellation",
    "ada asked to cancel report",
    "The mail about the first failure was sent",
    "table failed after 10 min",
    "table started",
    "TPP accepted the request",
    "No clear answer from TPP",
    "Sent to TPP",
)


def test_the_page_tells_what_matters_newest_first(web: Browser, request_: JobRequest) -> None:
    found = told(web.get(path(request_)))
    assert in_order(found, *MILESTONES)
    assert "asked for run_all" in found[-1]
    assert len(found) == len(MILESTONES) + 1
    assert "Job exited with an &lt;error&gt;" in " ".join(found)


def test_every_step_is_told_on_a_page_of_its_own(web: Browser, request_: JobRequest) -> None:
    page = web.get(path(request_))
    assert f'href="{path(request_, "events")}"' in page
    found = told(web.get(path(request_, "events")))
    assert in_order(found, *MILESTONES[:7], "report : waiting for a free slot on TPP", "table : running")
    assert in_order(found, "report accepted", "table accepted", "TPP accepted the request")
    assert len(found) == len(MILESTONES) + 1 + 4


def test_the_steps_can_be_had_as_a_file(web: Browser, request_: JobRequest) -> None:
    answer = web.get(path(request_, "events") + "?format=csv")
    lines = answer.text.splitlines()
    assert lines[0] == "at,what,more"
    assert len(lines) == len(MILESTONES) + 1 + 4 + 1
    assert any("table failed after 10 min,Job exited with an <error>" in line for line in lines)


def test_an_old_request_tells_what_its_rows_still_know(web: Browser, db: Session) -> None:
    request = requested()
    job(request, "succeeded", "succeeded", action="dataset", started_at=ago(50), completed_at=ago(40))
    job(request, "failed", "nonzero_exit", action="table", started_at=ago(30), completed_at=ago(25))
    refresh(db, request)
    wanted = (
        "Ended: 1 succeeded, 1 failed",
        "table failed after 5 min",
        "First job started: dataset",
        "TPP accepted 2 jobs",
    )
    for page in (path(request), path(request, "events")):
        found = told(web.get(page))
        assert in_order(found, *wanted) or in_order(found, wanted[0], wanted[1], "First job", wanted[3])
        assert "asked for" in found[-1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "failed", "status_message": "No <branch>"}, "TPP made no jobs"),
        ({"status": "nothing_to_do", "status_message": "All done"}, "TPP found nothing to do"),
    ],
)
def test_an_old_answer_without_jobs_is_told_with_its_reason(
    web: Browser, db: Session, fields: dict[str, Any], words: str
) -> None:
    request = requested(**fields)
    found = told(web.get(path(request)))
    assert found[0].startswith(words)
    assert fields["status_message"].replace("<", "&lt;").replace(">", "&gt;") in found[0]


def test_an_end_of_which_word_came_late_has_both_times(web: Browser, db: Session) -> None:
    """After an outage everything is noticed at once."""
    request = requested()
    late = job(request, "succeeded", "succeeded", action="late", started_at=ago(300), completed_at=ago(240))
    soon = job(request, "succeeded", "succeeded", action="soon", started_at=ago(30), completed_at=ago(21))
    for one in (late, soon):
        moved(db, one, ago(20), "succeeded", "succeeded", "running")
    found = told(web.get(path(refresh(db, request))))
    assert any(
        event.startswith("late succeeded after 1 h") and "word of it came later" in event for event in found
    )
    assert not any(event.startswith("soon") and "came later" in event for event in found)


@pytest.mark.parametrize(
    ("move", "words"),
    [
        (("running", "initiated", "pending"), "table started"),
        (("running", "executing", ""), "table started"),
        (
            ("pending", "waiting_on_reboot", "running"),
            "table stopped and waits again: stopped for a planned restart",
        ),
        (("pending", "waiting_on_new_task", "pending"), "table : a fault at TPP"),
        (("pending", "paused", "pending"), "table : TPP starts no new jobs"),
        (("failed", "dependency_failed", "pending"), "table never started: something it needs failed"),
        (("failed", "cancelled_by_user", "running"), "table was cancelled"),
        (("odd", "odd_code", "running"), "table is in a state that is not known here: odd"),
        (("succeeded", "succeeded", ""), "table succeeded"),
    ],
)
def test_each_change_is_told_in_words(
    web: Browser, db: Session, move: tuple[str, str, str], words: str
) -> None:
    request = requested()
    one = job(request, "running", "executing", action="table", started_at=None)
    moved(db, one, ago(5), *move)
    assert told(web.get(path(refresh(db, request), "events")))[0].startswith(words)


def test_what_somebody_has_chosen_about_mails_is_nobody_elses_business(web: Browser, db: Session) -> None:
    request = requested(will_notify=True, status="failed")
    note(db, request, "not_mailed", ago(5), note="request_ended", status_code="muted")
    note(db, request, "not_mailed", ago(4), note="first_failure", status_code="refused")
    page = web.get(path(request))
    assert told(page)[0].startswith("The mail about the first failure was not sent")
    assert "The mail server refused it" in page
    assert "The mail about its end was not sent" in page
    assert "muted" not in page


def test_nothing_in_the_history_is_markup(web: Browser, db: Session) -> None:
    bad = "<script>alert(1)</script>"
    request = requested(requested_actions=[bad])
    note(db, request, "refused", ago(9), note=bad)
    one = job(request, "failed", "nonzero_exit", action=bad, status_message=bad)
    for status, code in ((bad, bad), ("pending", bad), ("failed", "nonzero_exit")):
        moved(db, one, ago(5), status, code, bad)
    page = web.get(path(refresh(db, request), "events"))
    assert "alert(1)" in page
    assert "<script>alert" not in page


def test_a_long_history_is_paged(web: Browser, db: Session, count_statements: Callable[[], Any]) -> None:
    request = requested()
    one = job(request, "running", "executing", action="table")
    db.add_all(
        Happening(
            job_request_id=request.id,
            job_id=one.id,
            kind="job",
            at=ago(50 - n / 10),
            status="running",
            status_code=f"step_{n}",
            note="pending",
        )
        for n in range(240)
    )
    db.commit()
    refresh(db, request)
    assert len(told(web.get(path(request)))) == 30
    with count_statements() as sent:
        first = web.get(path(request, "events"))
    assert len(sent) <= 12
    assert len(told(first)) == 100
    assert "Page 1 of 3" in first
    last = told(web.get(path(request, "events") + "?page=3"))
    assert len(last) == 41
    assert "asked for run_all" in last[-1]
    for wrong in ("4", "0", "x", "-1", "%00"):
        web.get(path(request, "events") + f"?page={wrong}", status="4*")


def test_the_history_is_public_and_found_only_along_its_path(web: Browser, request_: JobRequest) -> None:
    for who in (None, f.UserFactory(), member(request_, "ProjectDeveloper")):
        if who:
            web.sign_in(who)
        assert told(web.get(path(request_, "events")))
    other = f.JobRequestFactory()
    web.get(path(other, "events").replace(f"/{other.id}/", f"/{request_.id}/"), status=404)
    web.get(path(request_, "events", "more"), status=404)


@pytest.mark.parametrize("number", [2, 20])
def test_the_number_of_statements_does_not_depend_on_what_happened(
    web: Browser, db: Session, count_statements: Callable[[], Any], number: int
) -> None:
    request = requested()
    for n in range(number):
        moved(db, job(request, "running", "executing", action=f"a{n}"), ago(n), "running", "executing")
    refresh(db, request)
    with count_statements() as sent:
        web.get(path(request, "events"))
    assert len(sent) == 4
