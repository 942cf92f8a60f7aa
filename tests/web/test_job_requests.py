"""The page of a job request: from the asking to the end."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.models import Cancellation, JobRequest
from jobserver.views.spoken import Heard, news
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.running import DEFINITION, NOW, ago, job, member, path, refresh, requested


def names_in(page: Any) -> list[str]:
    """The actions of the table's rows, in its order."""
    return re.findall(r'<th role="rowheader".*?class="mono truncate">(.*?)</a>', page.text)


def mixed(db: Session, **fields: Any) -> JobRequest:
    """A request under way: of six jobs two succeeded and one failed."""
    request = requested(**fields)
    job(request, "succeeded", "succeeded", action="dataset", started_at=ago(50), completed_at=ago(40))
    job(request, "succeeded", "succeeded", action="clean", started_at=ago(40))
    job(request, "failed", "unmatched_patterns", action="check", started_at=ago(39))
    job(request, "running", "executing", action="model", started_at=ago(30))
    job(request, "pending", "waiting_on_workers", action="plot")
    job(request, "pending", "waiting_on_dependencies", action="report")
    return refresh(db, request)


def test_the_page_says_how_far_the_request_is(web: Browser, db: Session) -> None:
    page = web.get(path(mixed(db)))
    assert "<strong>3 of 6</strong>" in page
    assert "Running for" in page
    assert "50 min" in page
    assert "<title>3 of 6 – Job request" in page
    assert "<code>check</code> failed. The rest carries on." in page
    assert "Waiting for a free slot on TPP" in page


def test_jobs_stand_in_the_order_in_which_they_started_and_the_others_last(web: Browser, db: Session) -> None:
    page = web.get(path(mixed(db)))
    assert names_in(page) == ["dataset", "clean", "check", "model", "plot", "report"]


def test_a_job_that_waits_names_what_it_waits_for(web: Browser, db: Session) -> None:
    request = requested()
    job(request, "running", "executing", action="dataset")
    job(request, "pending", "waiting_on_dependencies", action="table")
    job(request, "pending", "waiting_on_dependencies", action="report")
    page = web.get(path(refresh(db, request)))
    assert "Waiting for <code>dataset</code>" in page
    assert "Waiting for 2 actions it needs" in page


@pytest.mark.parametrize(
    "text", ["", "actions: [", "x" * 40_000, "\x00".replace("\x00", "é: {"), "version: 4"]
)
def test_a_definition_that_cannot_be_read_only_costs_the_names(web: Browser, db: Session, text: str) -> None:
    request = requested(project_definition=text)
    job(request, "pending", "waiting_on_dependencies", action="table")
    assert "Waiting for actions it needs" in web.get(path(refresh(db, request)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"settled_at": None}, "Asking TPP…"),
        (
            {"settled_at": None, "submit_attempts": 3, "last_submitted_at": ago(2)},
            "No clear answer from TPP yet",
        ),
        ({"settled_at": None, "status": "unknown_error_creating_jobs"}, "No clear answer from TPP yet"),
        ({"status": "pending"}, "TPP has accepted the request"),
        ({"status": "failed", "status_message": "<b>Branch</b> gone\nno"}, "&lt;b&gt;Branch&lt;/b&gt; gone"),
        ({"status": "nothing_to_do", "status_message": "All succeeded"}, "All succeeded"),
        ({"status": "succeeded"}, "No job of this request is known"),
        ({"status": "failed", "status_message": None}, "TPP made no jobs"),
        ({"status": "failed", "sha": ""}, "not known"),
    ],
)
def test_a_request_without_jobs_says_how_the_asking_went(
    web: Browser, db: Session, fields: dict[str, Any], words: str
) -> None:
    request = requested(**fields)
    assert words in web.get(path(request))
    web.get(path(request, "now"), status=200)


def test_a_request_that_was_only_cancelled_is_shown_as_cancelled(web: Browser, db: Session) -> None:
    request = requested()
    job(request, "succeeded", "succeeded", action="dataset")
    job(request, "failed", "cancelled_by_user", action="table")
    page = web.get(path(refresh(db, request)))
    assert "<title>Cancelled – Job request" in page
    assert "failed." not in page


def test_an_old_creation_error_stands_in_the_place_of_the_jobs(web: Browser, db: Session) -> None:
    """Rap 7.5."""
    request = requested()
    job(request, "failed", "internal_error", action="__error__", status_message="no <project>.yaml")
    page = web.get(path(refresh(db, request)))
    assert "no &lt;project&gt;.yaml" in page
    assert names_in(page) == []


def test_silence_of_half_an_hour_is_pointed_out_while_jobs_are_active(web: Browser, db: Session) -> None:
    """Rap 6.4."""
    request = requested()
    one = job(request, "running", "executing", updated_at=ago(34))
    assert "No news from TPP for" in web.get(path(refresh(db, request)))
    one.updated_at = ago(29)
    db.commit()
    assert "No news from TPP" not in web.get(path(refresh(db, request)))
    one.status, one.status_code, one.updated_at = "succeeded", "succeeded", ago(90)
    db.commit()
    assert "No news from TPP" not in web.get(path(refresh(db, request)))


def test_maintenance_and_pauses_of_the_backend_are_said_while_they_matter(web: Browser, db: Session) -> None:
    backend = f.BackendFactory(slug="emis", name="EMIS", is_in_maintenance_mode=True, is_paused=True)
    page = web.get(path(mixed(db, backend=backend)))
    assert "The database of EMIS is under maintenance" in page
    assert "EMIS starts no new jobs just now" in page


def test_cancelling_is_shown_until_the_jobs_have_ended(web: Browser, db: Session) -> None:
    request = mixed(db)
    who = f.UserFactory(username="ada")
    wish = Cancellation(
        job_request_id=request.id, actions=["model", "plot"], created_at=ago(1), created_by_id=who.id
    )
    db.add(wish)
    db.commit()
    page = web.get(path(request))
    assert "Cancelling 2 jobs, asked by ada" in page
    assert "TPP has not confirmed" in page
    assert "Being cancelled, asked by ada" in page
    wish.sent_at, wish.sent_actions = ago(0), ["model", "plot"]
    db.commit()
    assert "TPP has accepted it" in web.get(path(request))
    for each in request_jobs(db, request, "model", "plot"):
        each.status, each.status_code, each.completed_at = "failed", "cancelled_by_user", ago(0)
    db.commit()
    page = web.get(path(refresh(db, request)))
    assert "Cancelling 2 jobs" not in page
    assert "Cancelled by ada" in page
    assert "ada asked to cancel <code>model</code>, <code>plot</code>" in page


def request_jobs(db: Session, request: JobRequest, *actions: str) -> Any:
    """The jobs of these actions."""
    from jobserver.models import Job

    return db.query(Job).filter(Job.job_request_id == request.id, Job.action.in_(actions)).all()


def test_a_refused_cancellation_shows_the_controllers_reason(web: Browser, db: Session) -> None:
    request = mixed(db)
    db.add(
        Cancellation(
            job_request_id=request.id,
            actions=["model"],
            created_at=ago(1),
            created_by_id=f.UserFactory(username="ada").id,
            refusal="jobs <i>not</i> found",
        )
    )
    db.commit()
    page = web.get(path(request))
    assert "1 job could not be cancelled" in page
    assert "jobs &lt;i&gt;not&lt;/i&gt; found" in page


def test_jobs_in_one_state_can_be_shown(web: Browser, db: Session) -> None:
    request = mixed(db)
    assert names_in(web.get(path(request) + "?state=failed")) == ["check"]
    assert names_in(web.get(path(request) + "?state=pending")) == ["plot", "report"]
    assert "No job is in this state" in web.get(path(request) + "?state=cancelled")
    assert "?state=failed&amp;heard=" in web.get(path(request) + "?state=failed")
    assert "There is no state" in web.get(path(request) + "?state=sleeping", status=400)
    web.get(path(request) + "?state=%00", expect_errors=True)


def test_many_jobs_are_paged_with_the_failed_running_and_pending_ones_first(
    web: Browser, db: Session
) -> None:
    request = requested()
    for n in range(201):
        job(request, "succeeded", "succeeded", action=f"done-{n:03}")
    job(request, "pending", "created", action="waits")
    job(request, "running", "executing", action="runs")
    job(request, "failed", "nonzero_exit", action="broke")
    refresh(db, request)
    first = web.get(path(request))
    assert names_in(first)[:4] == ["broke", "runs", "waits", "done-000"]
    assert len(names_in(first)) == 100
    assert "Page 1 of 3" in first
    last = web.get(path(request) + "?page=3")
    assert len(names_in(last)) == 4
    assert names_in(web.get(path(request) + "?state=succeeded&page=3")) == ["done-200"]
    for wrong in ("4", "0", "x", "99999999999"):
        web.get(path(request) + f"?page={wrong}", status=404)
    assert len(names_in(web.get(path(request, "now") + "?page=9"))) == 4


def test_how_long_an_action_usually_runs_is_said_from_three_successes_on(web: Browser, db: Session) -> None:
    """Design: nothing is promised from fewer."""
    request = mixed(db)
    for minutes in (10, 20, 60):
        old = f.JobRequestFactory(workspace=request.workspace, backend=request.backend)
        job(
            old,
            "succeeded",
            "succeeded",
            action="model",
            started_at=ago(100),
            completed_at=ago(100 - minutes),
        )
    for minutes in (10, 20):
        old = f.JobRequestFactory(workspace=request.workspace, backend=request.backend)
        job(
            old, "succeeded", "succeeded", action="plot", started_at=ago(100), completed_at=ago(100 - minutes)
        )
    rows = dict(
        re.findall(
            r'class="mono truncate">(\w+)</a>.*?c-usual">(.*?)</td>', web.get(path(request)).text, re.DOTALL
        )
    )
    assert rows["model"] == "20 min"
    assert rows["plot"] == "–"


def test_the_definition_is_shown_and_a_long_one_is_linked(web: Browser, db: Session) -> None:
    request = requested()
    assert "ehrql:v1" in re.sub(r"<.*?>", "", web.get(path(request)).text)
    long = requested(backend=request.backend, project_definition=DEFINITION + "#" * 10_000)
    page = web.get(path(long))
    assert f"/blob/{long.sha}/project.yaml" in page
    assert "generate-dataset" not in page
    assert "project.yaml" not in web.get(path(request, "now")).text.split("menu-pop")[0]


def test_comparisons_lead_to_the_last_request_here_and_the_last_good_one(web: Browser, db: Session) -> None:
    good = requested(sha="a" * 40)
    job(good, "succeeded", "succeeded")
    refresh(db, good)
    here = {"workspace": good.workspace, "backend": good.backend}
    requested(sha="c" * 40, status="failed", **here)
    f.JobRequestFactory(workspace=good.workspace, sha="d" * 40)
    page = web.get(path(requested(sha="b" * 40, **here)))
    assert f"/compare/{'c' * 40}..{'b' * 40}" in page
    assert f"/compare/{'a' * 40}..{'b' * 40}" in page
    assert "d" * 40 not in page


def test_nothing_that_a_study_names_is_shown_as_markup(web: Browser, db: Session) -> None:
    bad = '"><script>alert(1)</script>'
    request = requested(
        requested_actions=[bad], project_definition=f"a: '{bad}'", commit_message=bad, branch=bad
    )
    job(request, "pending", bad, action=bad, status_message=bad)
    refresh(db, request)
    page = web.sign_in(member(request, "ProjectDeveloper")).get(path(request))
    assert "alert(1)" in page
    assert "<script>alert" not in page


def test_the_page_is_public_and_only_those_who_may_cancel_see_the_button(web: Browser, db: Session) -> None:
    request = mixed(db)
    assert "Cancel request" not in web.get(path(request))
    assert "Cancel request" not in web.sign_in(f.UserFactory()).get(path(request))
    assert "Cancel request" not in web.sign_in(member(request)).get(path(request))
    for who in (member(request, "ProjectDeveloper"), request.created_by):
        page = web.sign_in(who).get(path(request))
        assert "Cancel 3 jobs" in page
        assert 'href="#cancel"' in page


@pytest.mark.parametrize(
    ("status", "code", "asked", "reason"),
    [
        ("succeeded", "succeeded", [], "Everything has ended."),
        ("running", "executing", ["table"], "All active jobs are being cancelled already."),
        (None, None, [], "No job is known yet."),
    ],
)
def test_a_button_that_cannot_be_used_says_why(
    web: Browser, db: Session, status: str | None, code: str, asked: list[str], reason: str
) -> None:
    request = requested(status="pending", cancelled_actions=asked)
    if status:
        job(request, status, code, action="table")
        refresh(db, request)
    page = web.sign_in(request.created_by).get(path(request))
    assert reason in page
    assert 'aria-disabled="true"' in page
    assert 'id="cancel"' not in page


def test_somebody_elses_workspace_in_the_path_is_a_404(web: Browser, db: Session) -> None:
    request, other = requested(), f.JobRequestFactory()
    wrong = path(other).replace(f"/{other.id}/", f"/{request.id}/")
    for url in (wrong, wrong + "now/", path(request, "nothing-here"), path(request, "now", "more")):
        web.get(url, status=404)


def test_an_unchanged_refresh_is_a_304_and_costs_two_statements(
    web: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    request = mixed(db)
    web.sign_in(member(request, "ProjectDeveloper"))
    url = path(request, "now")
    for _ in range(2):  # a minute may begin between the two
        etag = web.get(url).headers["ETag"]
        with count_statements() as sent:
            again = web.get(url, headers={"If-None-Match": etag}, expect_errors=True)
        if again.status_code == 304:
            break
    assert again.status_code == 304
    assert again.body == b""
    assert len(sent) <= 2
    one = request_jobs(db, request, "model")[0]
    one.status, one.status_code, one.completed_at = "succeeded", "succeeded", ago(0)
    db.commit()
    refresh(db, request)
    assert web.get(url, headers={"If-None-Match": etag}, status=200).headers["ETag"] != etag
    web.sign_in(f.UserFactory())
    web.get(url, headers={"If-None-Match": etag}, status=200)


@pytest.mark.parametrize(("minutes", "seconds"), [(0, 5), (10, 10), (200, 30)])
def test_the_page_asks_for_itself_less_often_as_time_goes_on(
    web: Browser, db: Session, minutes: int, seconds: int
) -> None:
    request = requested(status="pending")
    from jobserver.models import utcnow

    request.created_at = utcnow() - timedelta(minutes=minutes)
    db.commit()
    page = web.get(path(request))
    assert f"every {seconds}s" in page
    assert 'class="no-js"' in page


def test_the_refresh_stops_with_the_request_and_says_how_it_ended(web: Browser, db: Session) -> None:
    request = requested()
    job(request, "succeeded", "succeeded")
    refresh(db, request)
    part = web.get(path(request, "now") + "?heard=0.0.0")
    assert "hx-trigger" not in part
    assert part.text.lstrip().startswith("<title>Succeeded – Job request")
    assert "Succeeded. 1 of 1 jobs finished." in part
    assert "hx-get" not in web.get(path(request))


@pytest.mark.parametrize("heard", ["", "x", "1.2", "1.2.3.4", "-1.0.0", "1.1." + "9" * 30, "<u>"])
def test_nonsense_in_a_refreshs_address_says_nothing(web: Browser, db: Session, heard: str) -> None:
    part = web.get(path(mixed(db), "now"), {"heard": heard})
    assert "hx-swap-oob" not in part
    assert "<u>" not in part


def test_aloud_are_said_failures_and_quarters_and_seldom(db: Session) -> None:
    """Design: at most once in 30 s."""
    request = mixed(db)
    now = int(NOW.timestamp())
    for heard, expected in [
        (Heard(3, 1, 0), ""),
        (Heard(3, 0, 0), "3 of 6 jobs finished, 1 failed."),
        (Heard(2, 1, 0), "3 of 6 jobs finished, 1 failed."),
        (Heard(2, 0, now - 10), ""),
        (Heard(2, 0, now - 31), "3 of 6 jobs finished, 1 failed."),
        (None, ""),
    ]:
        sentence, then = news(request, heard, NOW)
        assert sentence == expected
        assert then == (Heard(3, 1, now) if sentence else heard or Heard(3, 1, 0))


@pytest.mark.parametrize("number", [2, 20, 250])
def test_the_number_of_statements_does_not_depend_on_the_number_of_jobs(
    web: Browser, db: Session, count_statements: Callable[[], Any], number: int
) -> None:
    request = requested()
    job(request, "failed", "nonzero_exit", action="dataset")
    job(request, "pending", "waiting_on_dependencies", action="report")
    for n in range(number):
        job(request, "running", "executing", action=f"a{n}")
    refresh(db, request)
    web.sign_in(member(request, "ProjectDeveloper"))
    with count_statements() as sent:
        web.get(path(request))
    assert len(sent) <= 11
    with count_statements() as sent:
        web.get(path(request, "now"))
    assert len(sent) <= 10


def test_one_cause_is_told_from_what_never_started_because_of_it(web: Browser, db: Session) -> None:
    request = requested()
    job(request, "failed", "nonzero_exit", action="dataset")
    for action in ("table", "report"):
        job(request, "failed", "dependency_failed", action=action, started_at=None)
    page = web.get(path(refresh(db, request)))
    assert "<code>dataset</code> failed." in page
    assert "2 jobs never started because of it." in page
    assert "<code>table</code> failed" not in page
    assert "Never started: it needs <code>dataset</code>" in page
    other = job(request, "failed", "unmatched_patterns", action="other")
    page = web.get(path(refresh(db, request)))
    assert "4 jobs failed." in page
    assert "2 of them never started" in page
    assert path(request, other.identifier) in page


def test_what_depends_on_what_is_drawn_where_something_does(web: Browser, db: Session) -> None:
    request = requested()
    first = job(request, "running", "executing", action="dataset")
    assert "Dependency graph" not in web.get(path(refresh(db, request)))
    job(request, "pending", "waiting_on_dependencies", action="table")
    page = web.get(path(refresh(db, request)))
    assert "Dependency graph of 2 actions" in page
    assert (
        f'<a href="{path(request, first.identifier)}" class="st-running" aria-label="dataset, running">'
        in page
    )


def test_what_happened_is_told_newest_first(web: Browser, db: Session) -> None:
    request = mixed(db)
    text = re.sub(r"<.*?>", "", web.get(path(request)).text.split('id="happened"')[1])
    told = [
        text.index(words) for words in ("check failed", "First job started: dataset", "TPP accepted 6 jobs")
    ]
    assert told == sorted(told)
    assert text.index("TPP accepted 6 jobs") < text.index("asked for run_all")


def test_who_may_run_jobs_can_run_the_same_again(web: Browser, db: Session) -> None:
    """Once it has ended on a page of its own, before that with the form filled in."""
    request = requested(requested_actions=["a b", "table"], force_run_dependencies=True)
    job(request, "failed", "nonzero_exit", action="dataset")
    going_on = job(request, "running", "executing", action="table")
    refresh(db, request)
    again, form = path(request, "run-again"), "run-jobs/?backend=tpp&amp;requested_actions=a+b"
    page = web.sign_in(request.created_by).get(path(request))
    assert form not in page
    assert again not in page
    web.sign_in(member(request, "ProjectDeveloper"))
    page = web.get(path(request))
    assert f"{form}&amp;requested_actions=table&amp;force_run_dependencies=y" in page
    assert again not in page
    going_on.status, going_on.status_code, going_on.completed_at = "succeeded", "succeeded", ago(0)
    db.commit()
    refresh(db, request)
    page = web.get(path(request))
    assert f'href="{again}"' in page
    assert form not in page
    request.workspace.is_archived = True
    db.commit()
    assert again not in web.get(path(request))
