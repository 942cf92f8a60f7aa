"""On the page of a job: what is usual, and whether it worked before."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from jobserver.models import Job
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.past_runs import run_, text
from tests.web.running import ago, job, member, path, requested


def test_memory_is_compared_with_earlier_successes_here(web: Browser, db: Session) -> None:
    first = requested()
    for days, used in enumerate((11_200, 12_400, 11_800), start=1):
        run_(first, days=days, metrics={"mem_mb_peak": used})
    run_(first, "failed", days=4, metrics={"mem_mb_peak": 100})
    run_(first, days=5, backend=f.BackendFactory(), metrics={"mem_mb_peak": 50})
    later = requested(workspace=first.workspace, backend=first.backend)
    one = job(later, "failed", "nonzero_exit", action="table", metrics={"mem_mb_peak": 15_912})
    assert "usually" not in web.get(path(later, one.identifier))
    web.sign_in(member(first, "ProjectDeveloper"))
    page = web.get(path(later, one.identifier))
    assert "Memory was higher than usual" in page
    assert "between 11.2 GB and 12.4 GB" in page
    meter = page.html.select_one("svg.meter")
    assert "Peak memory 15.9 GB in this run" in meter["aria-label"]
    one.metrics = {"mem_mb_peak": 12_000}
    db.commit()
    assert "Look at the memory it used" in web.get(path(later, one.identifier))
    one.status = one.status_code = "succeeded"
    db.commit()
    assert "Usual peak" in web.get(path(later, one.identifier))


def test_with_fewer_than_three_successes_nothing_is_called_usual(web: Browser, db: Session) -> None:
    first = requested()
    for days in (1, 2):
        run_(first, days=days, metrics={"mem_mb_peak": 11_200})
    later = requested(workspace=first.workspace, backend=first.backend)
    one = job(later, "failed", "nonzero_exit", action="table", metrics={"mem_mb_peak": 15_912})
    page = web.sign_in(member(first, "ProjectDeveloper")).get(path(later, one.identifier))
    assert "15,912 MB" in page
    assert "usual" not in text(page)


def test_a_success_on_another_backend_is_named_if_there_is_none_here(web: Browser, db: Session) -> None:
    first = requested()
    emis = f.BackendFactory(slug="emis", name="EMIS")
    worked = run_(first, days=1, backend=emis, sha="c" * 40)
    later = requested(workspace=first.workspace, backend=first.backend, sha="d" * 40)
    one = job(later, "failed", "unmatched_patterns", action="table")
    page = web.get(path(later, one.identifier))
    assert "on EMIS, not on TPP so far" in text(page)
    assert f"/compare/{'c' * 40}..{'d' * 40}" in page
    assert f"in request {worked.job_request_id}" in text(page)


def test_a_success_here_is_named_before_a_later_one_elsewhere(web: Browser, db: Session) -> None:
    first = requested()
    here = run_(first, days=2, sha="d" * 40)
    run_(first, days=1, backend=f.BackendFactory(slug="emis", name="EMIS"), sha="c" * 40)
    later = requested(workspace=first.workspace, backend=first.backend, sha="d" * 40)
    one = job(later, "failed", "unmatched_patterns", action="table")
    page = web.get(path(later, one.identifier))
    assert "not on TPP so far" not in text(page)
    assert f"in request {here.job_request_id}" in text(page)
    assert "The commit was the same" in page


def test_a_later_success_is_no_earlier_one(web: Browser, db: Session) -> None:
    first = requested()
    one = job(first, "failed", "nonzero_exit", action="table")
    run_(first, days=-1)
    assert "It has not succeeded here before" in web.get(path(first, one.identifier))


def test_a_job_that_waited_for_an_earlier_request_names_that_one(web: Browser, db: Session) -> None:
    """Rap 1.3 step 5: what is under way already gets no new job."""
    first = requested()
    cause = job(first, "failed", "nonzero_exit", action="dataset", created_at=ago(90))
    later = requested(workspace=first.workspace, backend=first.backend)
    one = job(later, "failed", "dependency_failed", action="table", created_at=ago(60))
    page = web.get(path(later, one.identifier))
    assert f"failed in request {first.id}" in text(page)
    assert path(first, cause.identifier) in page
    db.execute(update(Job).where(Job.id == cause.id).values(status="succeeded", status_code="succeeded"))
    db.commit()
    assert "?state=failed" in web.get(path(later, one.identifier))
