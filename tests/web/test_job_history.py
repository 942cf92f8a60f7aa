"""All runs of an action: on the page of a job, on a page of their own, and as a file."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session
from webtest import TestResponse

from jobserver.actions.happenings import note_moves
from jobserver.models import Job
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.past_runs import run_
from tests.web.running import ago, job, member, path, refresh, requested

BAD = "<script>alert(1)</script>"


def rows(page: TestResponse) -> list[list[str]]:
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("th, td")]
        for row in page.html.select("section[aria-labelledby=runs] tbody tr")
    ]


def test_the_runs_of_the_action_are_drawn_and_listed_newest_first(web: Browser, db: Session) -> None:
    first = requested()
    one = job(first, "succeeded", "succeeded", action="table", created_at=ago(60))
    older = run_(first, days=2, minutes=41)
    failed = run_(first, "failed", days=3, minutes=3)
    job(first, "succeeded", "succeeded", action="report")
    job(f.JobRequestFactory(), "succeeded", "succeeded", action="table")
    page = web.get(path(first, one.identifier))
    found = rows(page)
    assert [row[0] for row in found] == [
        f"{first.id} this run",
        str(older.job_request_id),
        str(failed.job_request_id),
    ]
    assert found[1][1:4] == ["TPP", "Succeeded", "41 min"]
    assert found[2][2:4] == ["Failed", "3 min"]
    marks = [link["aria-label"] for link in page.html.select("svg.chart a")]
    assert marks[0] == f"{failed.job_request_id}: failed, 3 min", "oldest first"
    assert len(marks) == 3
    assert page.html.select_one('svg.chart a[aria-current="page"]')
    assert "Runs of this action on TPP" in page


def test_runs_that_never_started_are_listed_and_not_drawn(web: Browser, db: Session) -> None:
    first = requested()
    one = job(first, "failed", "dependency_failed", action="table", started_at=None)
    page = web.get(path(first, one.identifier))
    assert "there are no times to draw" in page
    assert not page.html.select("svg.chart")
    assert page.html.select_one("#runs-table").has_attr("open")
    assert rows(page)[0][2:] == ["Failed", "–", "never"]


def test_runs_on_other_backends_are_there_and_marked(web: Browser, db: Session) -> None:
    first = requested()
    one = job(first, "failed", "nonzero_exit", action="table")
    run_(first, backend=f.BackendFactory(slug="emis", name="EMIS"), days=1)
    page = web.get(path(first, one.identifier))
    assert [row[1] for row in rows(page)] == ["TPP", "EMIS"]
    assert page.html.select_one("svg.chart .elsewhere")
    assert "Outlined: on another backend" in page
    assert any("on EMIS" in link["aria-label"] for link in page.html.select("svg.chart a"))


def test_memory_is_drawn_for_people_with_a_role_only(web: Browser, db: Session) -> None:
    first = requested()
    one = job(first, "succeeded", "succeeded", action="table", metrics={"mem_mb_peak": 12_345})
    run_(first, days=1, metrics={"mem_mb_peak": "much"})
    for url in (path(first, one.identifier), path(first, one.identifier, "history")):
        assert "12.3 GB" not in web.get(url)
        assert "Peak memory" not in web.get(url)
    web.sign_in(member(first, "ProjectCollaborator"))
    for url in (path(first, one.identifier), path(first, one.identifier, "history")):
        page = web.get(url)
        assert page.html.select_one("svg.chart.low")
        assert [row[4] for row in rows(page)] == ["12.3 GB", "–"]


def test_the_history_has_pages_of_fifty(web: Browser, db: Session) -> None:
    first = requested()
    one = job(first, "succeeded", "succeeded", action="table", created_at=ago(1))
    other = run_(first, days=1)
    requests = [f.JobRequestFactory(workspace=first.workspace, backend=first.backend) for _ in range(59)]
    db.add_all(
        Job(
            job_request_id=request.id,
            workspace_id=request.workspace_id,
            backend_id=request.backend_id,
            identifier=f"history{number:09}",
            action="table",
            status="succeeded",
            created_at=ago(60) - timedelta(days=2 + number),
        )
        for number, request in enumerate(requests)
    )
    db.commit()
    url = path(first, one.identifier, "history")
    page = web.get(url)
    assert "Page 1 of 2" in page
    assert len(rows(page)) == 50
    assert rows(page)[1][0] == str(other.job_request_id)
    last = web.get(url + "?page=last")
    assert len(rows(last)) == 11
    assert not {row[0] for row in rows(page)} & {row[0] for row in rows(last)}
    assert len(rows(web.get(path(first, one.identifier)))) == 50
    for wrong in ("3", "0", "x", "%00", "9" * 30):
        web.get(f"{url}?page={wrong}", status=404)


def test_the_history_is_a_file_too(web: Browser, db: Session) -> None:
    first = requested(sha="b" * 40)
    bad = '=cmd|"x"'
    one = job(first, "failed", bad, action="table", started_at=ago(50), completed_at=ago(20))
    one.metrics = {"mem_mb_peak": 15_912}
    db.commit()
    url = path(first, one.identifier, "history") + "?format=csv"
    answer = web.get(url)
    assert answer.content_type == "text/csv"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["request"], row["job"], row["backend"]) == (str(first.id), one.identifier, "TPP")
    assert (row["commit"], row["state"], row["seconds"]) == ("b" * 40, "failed", "1800")
    assert row["status_code"] == f"'{bad}", "no formula for a spreadsheet"
    assert "peak_memory_mb" not in row
    web.sign_in(member(first, "ProjectDeveloper"))
    (row,) = csv.DictReader(io.StringIO(web.get(url).text))
    assert row["peak_memory_mb"] == "15912.0"
    assert url.replace("&", "&amp;") in web.get(path(first, one.identifier))


def test_a_history_in_another_place_is_a_404(web: Browser, db: Session) -> None:
    first, other = requested(), f.JobRequestFactory()
    one = job(first)
    web.get(path(other, one.identifier, "history"), status=404)
    web.get(path(first, one.identifier, "history", "more"), status=404)


def test_nothing_of_the_history_is_markup(web: Browser, db: Session) -> None:
    first = requested(backend=f.BackendFactory(slug="odd", name=BAD))
    one = job(first, BAD, BAD, action=BAD)
    for url in (path(first, one.identifier), path(first, one.identifier, "history")):
        page = web.get(url)
        assert "alert(1)" in page
        assert "<script>alert" not in page


@pytest.mark.parametrize("number", [2, 20])
def test_a_history_of_any_length_costs_the_same_statements(
    web: Browser, db: Session, count_statements: Callable[[], Any], number: int
) -> None:
    first = requested()
    one = job(first, "failed", "nonzero_exit", action="table")
    for days in range(number):
        run_(first, days=days + 1)
    refresh(db, first)
    web.sign_in(member(first, "ProjectDeveloper"))
    for url, most in ((path(first, one.identifier), 11), (path(first, one.identifier, "history"), 6)):
        with count_statements() as sent:
            web.get(url)
        assert len(sent) <= most


# What happened


def test_each_change_that_was_noticed_is_told_oldest_first(web: Browser, db: Session) -> None:
    first = requested()
    one = job(first, "failed", "nonzero_exit", action="table")
    moves = [
        ("pending", "created", "", 60),
        ("pending", "waiting_on_workers", "pending", 55),
        ("running", "executing", "pending", 50),
        ("failed", "nonzero_exit", "running", 20),
    ]
    for status, code, before, minutes in moves:
        move = {"status": status, "status_code": code, "before": before}
        note_moves(db, [{"job_request_id": first.id, "job_id": one.id, **move}], ago(minutes))
    db.commit()
    page = web.get(path(first, one.identifier))
    events = [each.get_text(" ") for each in page.html.select("section[aria-labelledby=went] li")]
    assert len(events) == 4
    for event, words in zip(events, ("Accepted", "free slot on TPP", "Started", "Failed"), strict=True):
        assert words in event


# Running it again


def test_running_it_again_leads_to_the_preview(web: Browser, db: Session) -> None:
    first = requested()
    failed = job(first, "failed", "nonzero_exit")
    cancelled = job(first, "failed", "cancelled_by_user")
    fine = job(first, "succeeded", "succeeded")
    link = path(first, "run-again") + "?way=failed"
    assert link not in web.get(path(first, failed.identifier))
    web.sign_in(member(first, "ProjectDeveloper"))
    assert link in web.get(path(first, failed.identifier))
    assert link in web.get(path(first, cancelled.identifier))
    assert link not in web.get(path(first, fine.identifier))
    first.workspace.is_archived = True
    db.commit()
    assert link not in web.get(path(first, failed.identifier))
