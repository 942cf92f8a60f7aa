"""The page of a job, in every state that it can be in."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import factories as f
from tests.web.conftest import Browser
from tests.web.running import ago, job, member, path, refresh, requested

PENDING = [
    "created",
    "waiting_on_dependencies",
    "waiting_on_workers",
    "waiting_on_db_workers",
    "paused",
    "waiting_db_maintenance",
    "waiting_on_reboot",
    "waiting_on_new_task",
]
RUNNING = ["initiated", "preparing", "prepared", "executing", "executed", "finalizing", "finalized"]
FAILED = [
    "dependency_failed",
    "nonzero_exit",
    "cancelled_by_user",
    "unmatched_patterns",
    "internal_error",
    "job_error",
    "killed_by_admin",
    "stale_codelists",
]
CASES = [
    *[("pending", code) for code in (*PENDING, "new_code_1", "")],
    *[("running", code) for code in (*RUNNING, "new_code_2", "")],
    *[("failed", code) for code in (*FAILED, "new_code_3", "")],
    *[("succeeded", code) for code in ("succeeded", "new_code_4", "")],
    *[("Failed", "nonzero_exit"), ("Succeeded", "succeeded"), ("0", ""), ("", ""), ("<b>odd</b>", "<i>")],
]


@pytest.mark.parametrize(("status", "code"), CASES)
def test_every_state_has_its_page_and_its_row(web: Browser, db: Session, status: str, code: str) -> None:
    """Rap 9: codes that are not known are shown as they are."""
    request = requested()
    one = job(request, status, code, action="table", status_message="said the controller")
    refresh(db, request)
    page = web.get(path(request, one.identifier), status=200)
    assert "table" in page
    if code.startswith("new_code"):
        assert code in page
        assert "said the controller" in page
    row = web.get(path(request), status=200)
    assert f'id="job-{one.identifier}"' in row
    web.get(path(request, one.identifier, "now"), status=200)
    assert "<b>odd</b>" not in page
    assert "<i>" not in page


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("nonzero_exit", "Your code stopped with an error"),
        ("unmatched_patterns", "Expected outputs were not found"),
        ("internal_error", "A fault at TPP, not in your code"),
        ("job_error", "A fault at TPP, not in your code"),
        ("killed_by_admin", "An operator stopped it"),
        ("stale_codelists", "opensafely codelists update"),
        ("dependency_failed", "It never started"),
    ],
)
def test_a_failure_is_explained_in_plain_words(web: Browser, db: Session, code: str, words: str) -> None:
    request = requested()
    one = job(request, "failed", code)
    assert words in web.get(path(request, one.identifier))


def test_what_needs_the_log_says_where_it_is(web: Browser, db: Session) -> None:
    request = requested()
    stopped = job(request, "failed", "nonzero_exit", action="table")
    blocked = job(request, "failed", "dependency_failed", action="report")
    assert "metadata/table.log" in web.get(path(request, stopped.identifier))
    assert "metadata/report.log" not in web.get(path(request, blocked.identifier))


def test_a_job_that_never_started_links_to_what_failed_first(web: Browser, db: Session) -> None:
    """The nearest job that failed by itself, not one that was held up as well."""
    request = requested()
    cause = job(request, "failed", "nonzero_exit", action="dataset")
    job(request, "failed", "dependency_failed", action="table")
    last = job(request, "failed", "dependency_failed", action="report")
    page = web.get(path(request, last.identifier))
    assert path(request, cause.identifier) in page
    assert "What happened to dataset" in page
    assert "Did not start because of this" in web.get(path(request, cause.identifier))


def test_without_its_file_a_job_that_never_started_leads_to_the_failed_jobs(
    web: Browser, db: Session
) -> None:
    request = requested(project_definition="")
    last = job(request, "failed", "dependency_failed", action="report")
    assert "?state=failed" in web.get(path(request, last.identifier))


def test_the_last_success_here_is_named_with_what_changed_since(web: Browser, db: Session) -> None:
    """Same workspace, same backend, an earlier request."""
    old = requested(sha="a" * 40)
    job(old, "succeeded", "succeeded", action="table", completed_at=ago(20))
    elsewhere = f.JobRequestFactory(workspace=old.workspace, sha="c" * 40)
    job(elsewhere, "succeeded", "succeeded", action="table")
    new = requested(workspace=old.workspace, backend=old.backend, sha="b" * 40)
    broken = job(new, "failed", "nonzero_exit", action="table")
    page = web.get(path(new, broken.identifier))
    assert f"/compare/{'a' * 40}..{'b' * 40}" in page
    assert "c" * 40 not in page
    assert f"Compare {old.id} with {new.id}" in page
    assert "It has not succeeded here before" in web.get(
        path(new, job(new, "failed", "nonzero_exit", action="report").identifier)
    )


def test_metrics_are_for_people_with_a_role(web: Browser, db: Session) -> None:
    """Access 3."""
    request = requested()
    metrics = {"cpu_mean": 98.2, "cpu_peak": 388.1, "mem_mb_mean": 9870.4, "mem_mb_peak": 15912}
    one = job(request, "failed", "nonzero_exit", metrics=metrics)
    url = path(request, one.identifier)
    assert "15,912 MB" not in web.get(url)
    assert "15,912 MB" not in web.sign_in(member(request)).get(url)
    page = web.sign_in(member(request, "ProjectCollaborator")).get(url)
    for words in ("98% mean", "388% peak", "9,870 MB mean", "15,912 MB", "at least 4 cores"):
        assert words in page


@pytest.mark.parametrize(
    "metrics",
    [
        None,
        {},
        {"cpu_mean": "fast", "mem_mb_peak": None, "cpu_peak": True},
        {"cpu_mean": -1, "mem_mb_peak": 1e308, "mem_mb_mean": [1]},
        {"mem_mb_peak": 12},
    ],
)
def test_metrics_that_are_missing_or_nonsense_do_no_harm(web: Browser, db: Session, metrics: Any) -> None:
    request = requested()
    one = job(request, "failed", "nonzero_exit", metrics=metrics)
    page = web.sign_in(member(request, "ProjectDeveloper")).get(path(request, one.identifier))
    assert "CPU" in page


def test_a_run_that_ends_before_it_starts_took_no_time(web: Browser, db: Session) -> None:
    """Clocks differ (rap 1.5)."""
    request = requested()
    one = job(request, "succeeded", "succeeded", started_at=ago(5), completed_at=ago(9))
    assert "after 0 s" in web.get(path(request, one.identifier))


def test_silence_of_half_an_hour_is_pointed_out_while_the_job_is_active(web: Browser, db: Session) -> None:
    request = requested()
    silent = job(request, "running", "executing", updated_at=ago(34))
    assert "No news from TPP for 3" in web.get(path(request, silent.identifier))
    for fresh in (
        job(request, "running", "executing", updated_at=ago(29)),
        job(request, "pending", "created", updated_at=None),
        job(request, "failed", "nonzero_exit", updated_at=ago(90)),
    ):
        assert "No news from TPP" not in web.get(path(request, fresh.identifier))


def test_a_beginning_of_the_identifier_leads_to_the_page(web: Browser, db: Session) -> None:
    request = requested()
    one = job(request, identifier="kzwjyydmfxcvb3fh")
    assert web.get(path(request, "kzwj"), status=301).location.endswith(path(request, one.identifier))
    web.get(path(request, "zzzz"), status=404)


def test_somebody_elses_request_in_the_path_is_a_404(web: Browser, db: Session) -> None:
    request, other = requested(), f.JobRequestFactory()
    one = job(request, identifier="kzwjyydmfxcvb3fh")
    web.get(path(other, one.identifier), status=404)
    web.get(path(other, one.identifier, "now"), status=404)
    web.get(path(request, one.identifier, "now", "more"), status=404)


def test_nothing_of_a_job_is_shown_as_markup(web: Browser, db: Session) -> None:
    request = requested(commit_message="<script>1</script>", branch="<script>2</script>")
    bad = "<script>alert(1)</script>"
    one = job(request, "failed", "nonzero_exit", action=bad, status_message=bad, run_command=bad)
    two = job(request, "failed", bad, action="x", status_message=bad)
    refresh(db, request)
    for url in (path(request, one.identifier), path(request, two.identifier), path(request)):
        page = web.get(url)
        assert "alert(1)" in page
        assert not re.search(r"<script>\w", page.text)


def test_old_creation_errors_say_what_went_wrong(web: Browser, db: Session) -> None:
    """Rap 7.5: an action of this name carried the fault of the whole request."""
    request = requested()
    one = job(request, "failed", "internal_error", action="__error__", status_message="no project.yaml found")
    page = web.get(path(request, one.identifier))
    assert "Jobs could not be made" in page
    assert "no project.yaml found" in page


def test_the_page_refreshes_itself_only_while_the_job_is_active(web: Browser, db: Session) -> None:
    request = requested()
    active, ended = job(request, "running", "executing"), job(request, "succeeded", "succeeded")
    page = web.get(path(request, active.identifier))
    assert f'hx-get="{path(request, active.identifier, "now")}"' in page
    assert "Reload" in page
    assert "hx-get" not in web.get(path(request, ended.identifier))


def test_an_unchanged_refresh_is_a_304_and_costs_two_statements(
    web: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    request = requested()
    one = job(request, "running", "executing")
    refresh(db, request)
    web.sign_in(member(request, "ProjectDeveloper"))
    url = path(request, one.identifier, "now")
    first = web.get(url)
    assert first.headers["Cache-Control"] == "private, no-cache"
    with count_statements() as sent:
        again = web.get(url, headers={"If-None-Match": first.headers["ETag"]}, expect_errors=True)
    assert again.status_code in {200, 304}  # 200 if a minute has just begun
    if again.status_code == 304:
        assert len(sent) <= 2
    one.status, one.status_code = "succeeded", "succeeded"
    db.commit()
    refresh(db, request)
    changed = web.get(url, headers={"If-None-Match": first.headers["ETag"]}, status=200)
    assert "hx-trigger" not in changed
    assert changed.text.lstrip().startswith("<title>Succeeded: ")
    assert 'hx-swap-oob="true">' in changed


@pytest.mark.parametrize("number", [2, 20, 250])
def test_the_number_of_statements_does_not_depend_on_the_number_of_jobs(
    web: Browser, db: Session, count_statements: Callable[[], Any], number: int
) -> None:
    request = requested()
    jobs = [job(request, "failed", "dependency_failed", action=f"a{n}") for n in range(number)]
    refresh(db, request)
    web.sign_in(member(request, "ProjectDeveloper"))
    with count_statements() as sent:
        web.get(path(request, jobs[0].identifier))
    assert len(sent) <= 9
