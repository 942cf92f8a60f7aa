"""What the page of a request says beyond how far it is: when it ends, why jobs wait, what hangs together."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from jobserver.models import JobRequest
from jobserver.pipeline.forecast import Forecast
from jobserver.templating.times import clock
from jobserver.views.job_requests import likely_end
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.running import ago, job, path, refresh, requested
from tests.web.test_job_requests import names_in


def usually(request: JobRequest, **minutes: float) -> None:
    """Three earlier successes of each action, of this length."""
    for _ in range(3):
        old = f.JobRequestFactory(workspace=request.workspace, backend=request.backend)
        for action, took in minutes.items():
            times = {"started_at": ago(900), "completed_at": ago(900 - took)}
            job(old, "succeeded", "succeeded", action=action, **times)


def test_the_likely_end_follows_from_what_needs_what(web: Browser, db: Session) -> None:
    """The report needs the table: 10 more minutes for the dataset, then 20, then 5."""
    request = requested()
    job(request, "running", "executing", action="dataset", started_at=ago(30))
    job(request, "pending", "waiting_on_dependencies", action="table")
    job(request, "pending", "waiting_on_dependencies", action="report")
    refresh(db, request)
    assert "Likely to end" not in web.get(path(request))
    usually(request, dataset=40, table=20)
    assert "Likely to end" not in web.get(path(request))
    usually(request, report=5)
    page = web.get(path(request))
    end = re.search(r"jobs finished, ends about (\d\d:\d\d)( on [^<]*)?</span>", page.text)
    assert end
    near = {clock(ago(-35 - more)) for more in range(7)}
    assert end[1] in near
    assert "Likely to end" in page
    assert page.text.count('class="ghost') == 4, "three jobs and the key"


def test_nothing_is_promised_while_the_backend_is_paused(web: Browser, db: Session) -> None:
    request = requested()
    job(request, "pending", "created", action="dataset")
    refresh(db, request)
    usually(request, dataset=40)
    assert "Likely to end" in web.get(path(request))
    request.backend.is_paused = True
    db.commit()
    assert "Likely to end" not in web.get(path(request))


def test_jobs_that_take_longer_than_usual_are_pointed_out(web: Browser, db: Session) -> None:
    request = requested()
    job(request, "running", "executing", action="dataset", started_at=ago(50))
    refresh(db, request)
    usually(request, dataset=40)
    page = web.get(path(request))
    assert "ends any time now" in page
    assert "some jobs already take longer than usual" in page


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (0, "any time now"),
        (7, "about 14:07"),
        (21, "about 14:25"),
        (60, "about 15:00"),
        (11 * 60 + 7, "about 02:00 on 18 Nov 2026"),
    ],
)
def test_the_further_off_the_end_the_rounder_it_is_told(left: int, words: str) -> None:
    now = datetime(2026, 11, 17, 14, 0, tzinfo=UTC)
    assert likely_end(Forecast(end=now + timedelta(minutes=left)), now) == words
    assert likely_end(Forecast(), now) is None


SENTENCES = {
    "created": "Accepted",
    "waiting_on_dependencies": "Waiting for <code>dataset</code>",
    "waiting_on_workers": "Waiting for a free slot on TPP",
    "waiting_on_db_workers": "Waiting for a free database slot on TPP",
    "paused": "TPP starts no new jobs just now",
    "waiting_db_maintenance": "Waiting for database maintenance to end; starts by itself",
    "waiting_on_reboot": "Stopped for a planned restart; starts by itself",
    "waiting_on_new_task": "A fault at TPP, not in your code; tried again by itself",
    "a_code_of_tomorrow": "In its own <i>words</i>",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_every_pending_job_says_why_it_waits(web: Browser, db: Session, code: str) -> None:
    """Rap 9."""
    request = requested()
    job(request, "running", "executing", action="dataset")
    job(request, "pending", code, action="table", status_message="In its own <i>words</i>")
    page = web.get(path(refresh(db, request)))
    assert SENTENCES[code].replace("<i>", "&lt;i&gt;").replace("</i>", "&lt;/i&gt;") in page


def test_a_job_that_waits_for_a_slot_says_how_many_are_ahead(web: Browser, db: Session) -> None:
    request = requested()
    other = f.JobRequestFactory(backend=request.backend)
    for n in range(2):
        job(other, "pending", "waiting_on_workers", action=f"o{n}", created_at=ago(90))
    job(other, "pending", "waiting_on_db_workers", action="db", created_at=ago(91))
    job(other, "running", "executing", action="runs", created_at=ago(92))
    job(f.JobRequestFactory(), "pending", "waiting_on_workers", action="elsewhere", created_at=ago(95))
    job(request, "pending", "waiting_on_workers", action="table")
    job(request, "pending", "waiting_on_workers", action="later", created_at=ago(50))
    job(request, "pending", "waiting_on_db_workers", action="dataset")
    page = web.get(path(refresh(db, request)))
    assert "Waiting for a free slot on TPP (2 ahead)" in page
    assert "Waiting for a free slot on TPP (3 ahead)" in page
    assert "Waiting for a free database slot on TPP (1 ahead)" in page


def chain(number: int) -> str:
    """A file in which each action needs the one before."""
    lines = ["version: '4'", "actions:"]
    for n in range(number):
        lines += [f"  a{n}:", f"    run: python:v2 python analysis/a{n}.py"]
        lines += [f"    needs: [a{n - 1}]"] if n else []
        lines += ["    outputs:", "      moderately_sensitive:", f"        t: output/t{n}.csv"]
    return "\n".join(lines)


def test_of_very_many_jobs_the_graph_counts_each_step(web: Browser, db: Session) -> None:
    """Whatever page or state is shown; also where the file is too long to be read as YAML."""
    request = requested(project_definition=chain(3).replace("a1", "b").replace("a2", "c") + "#" * 40_000)
    long = chain(210)
    lines = long.splitlines()
    wide = [line.replace(line, "    needs: [a0]") if "needs: [a" in line else line for line in lines]
    request.project_definition = "\n".join(wide) + "\n" + "# padding\n" * 4000
    db.commit()
    job(request, "succeeded", "succeeded", action="a0")
    for n in range(1, 210):
        job(request, "pending", "waiting_on_dependencies", action=f"a{n}")
    refresh(db, request)
    for query in ("", "?state=pending&page=2", "?page=2"):
        page = web.get(path(request) + query)
        assert "Step 1, 1 action" in page
        assert "Step 2, 209 actions" in page
        assert "Dependency graph of" not in page


def test_the_graph_is_whole_whichever_jobs_are_listed(web: Browser, db: Session) -> None:
    request = requested()
    job(request, "succeeded", "succeeded", action="dataset")
    job(request, "running", "executing", action="table")
    page = web.get(path(refresh(db, request)) + "?state=running")
    assert names_in(page) == ["table"]
    assert "Dependency graph of 2 actions" in page


def test_cancelled_jobs_are_counted_and_can_be_chosen(web: Browser, db: Session) -> None:
    request = requested()
    job(request, "failed", "cancelled_by_user", action="table")
    job(request, "failed", "nonzero_exit", action="report")
    page = web.get(path(refresh(db, request)))
    assert "<b>1</b> cancelled" in page
    assert "<b>1</b> failed" in page
    assert names_in(web.get(path(request) + "?state=cancelled")) == ["table"]
    assert names_in(web.get(path(request) + "?state=failed")) == ["report"]


def test_attempts_are_linked_to_each_other(web: Browser, db: Session) -> None:
    first = requested(status="failed")
    here = {"workspace": first.workspace, "backend": first.backend}
    second, third = (requested(rerun_of_id=first.id, **here) for _ in range(2))
    page = web.get(path(first))
    assert f'<dt>Re-run as</dt><dd><a href="{path(third)}">{third.id}</a>, <a href="{path(second)}">' in page
    assert "Re-run of" not in page
    page = web.get(path(second))
    assert f'a re-run of <a href="{path(first)}">request {first.id}</a>' in page
    assert "<dt>Re-run of</dt>" in page
    assert "Re-run as" not in page


def test_scripts_in_the_definition_lead_to_the_repository_at_that_commit(web: Browser, db: Session) -> None:
    request = requested()
    page = web.get(path(request))
    assert f'/blob/{request.sha}/analysis/table.R">analysis/table.R</a>' in page
    assert f"/blob/{request.sha}/output" not in page
    unknown = requested(backend=request.backend, sha="")
    assert "analysis/table.R</a>" not in web.get(path(unknown))


def test_markup_in_a_definition_is_shown_as_text(web: Browser, db: Session) -> None:
    bad = "<img src=x onerror=alert(1)>"
    text = f"# {bad}\nactions:\n  a:\n    run: x {bad} a/{bad} 'a/b\"><script>alert(1)</script>/c'\n{bad}: {bad}\n"
    page = web.get(path(requested(project_definition=text)))
    assert "&lt;img" in page
    assert "<img src=x" not in page
    assert "<script>alert" not in page
