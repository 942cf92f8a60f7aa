"""Asking for jobs to be stopped, in every situation of spec rap 5."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, Cancellation, JobRequest, User
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.running import job, member, path, refresh, requested


@pytest.fixture
def running(db: Session) -> JobRequest:
    """Three jobs are active, one has ended."""
    request = requested()
    job(request, "succeeded", "succeeded", action="dataset")
    job(request, "running", "executing", action="table")
    job(request, "pending", "created", action="report")
    job(request, "pending", "created", action="a b, c/d")
    return refresh(db, request)


def visiting(web: Browser, user: User, request: JobRequest) -> Browser:
    """Signed in, with the request's page open."""
    web.sign_in(user).get(path(request))
    return web


def wishes(db: Session) -> list[Any]:
    fresh = select(Cancellation).order_by(Cancellation.id).execution_options(populate_existing=True)
    return list(db.scalars(fresh))


def deferred(db: Session) -> int:
    query = "SELECT count(*) FROM procrastinate_jobs WHERE args ? 'cancellation_id'"
    return int(db.scalar(text(query)) or 0)


def test_all_active_jobs_are_cancelled_and_nothing_else(
    web: Browser, db: Session, running: JobRequest
) -> None:
    answer = visiting(web, running.created_by, running).submit(path(running, "cancel"), status=303)
    assert answer.location.endswith(path(running))
    [wish] = wishes(db)
    assert wish.actions == ["a b, c/d", "report", "table"]
    assert wish.created_by_id == running.created_by_id
    assert deferred(db) == 1
    assert db.scalars(select(AuditableEvent.type)).all() == ["job_request_cancelled"]
    page = answer.follow()
    assert "Asked TPP to cancel 3 jobs; it confirms within a minute." in page
    assert "Cancelling 3 jobs" in page


def test_some_jobs_can_be_chosen(web: Browser, db: Session, running: JobRequest) -> None:
    visiting(web, running.created_by, running)
    fields = [("only", "ticked"), ("actions", "report"), ("actions", "a b, c/d"), ("actions", "report")]
    page = web.submit(path(running, "cancel"), fields, status=303).follow()
    assert "Asked TPP to cancel 2 jobs" in page
    assert wishes(db)[0].actions == ["a b, c/d", "report"]
    again = web.submit(path(running, "cancel"), status=303).follow()
    assert "Asked TPP to cancel table" in again
    assert wishes(db)[1].actions == ["table"]


def test_choosing_nothing_cancels_nothing(web: Browser, db: Session, running: JobRequest) -> None:
    visiting(web, running.created_by, running)
    page = web.submit(path(running, "cancel"), {"only": "ticked"}, status=303).follow()
    assert "No job was ticked" in page
    assert wishes(db) == []


def test_a_name_that_is_no_job_cancels_nothing(web: Browser, db: Session, running: JobRequest) -> None:
    visiting(web, running.created_by, running)
    fields = [("actions", "table"), ("actions", "<b>nope</b>")]
    page = web.submit(path(running, "cancel"), fields, status=303).follow()
    assert "no job called &lt;b&gt;nope&lt;/b&gt;" in page
    assert wishes(db) == []


def test_one_job_is_cancelled_from_its_page(web: Browser, db: Session, running: JobRequest) -> None:
    [table] = [row for row in _jobs(db, running) if row.action == "table"]
    visiting(web, member(running, "ProjectDeveloper"), running)
    assert "Cancel 1 job" in web.get(path(running, table.identifier))
    answer = web.submit(path(running, table.identifier, "cancel"), status=303)
    assert answer.location.endswith(path(running, table.identifier))
    assert wishes(db)[0].actions == ["table"]
    page = answer.follow()
    assert "Asked TPP to cancel table" in page
    assert "It is being cancelled already." in page
    again = web.submit(path(running, table.identifier, "cancel"), status=303).follow()
    assert "The cancellation was asked for already." in again
    assert len(wishes(db)) == 1


def _jobs(db: Session, request: JobRequest) -> Any:
    from jobserver.models import Job

    return list(db.scalars(select(Job).where(Job.job_request_id == request.id)))


def test_what_has_ended_cannot_be_cancelled(web: Browser, db: Session) -> None:
    request = requested()
    one = job(request, "succeeded", "succeeded")
    refresh(db, request)
    visiting(web, request.created_by, request)
    for url in (path(request), path(request, one.identifier)):
        page = web.submit(url + "cancel/", status=303).follow()
        assert "There is nothing to cancel: the jobs have ended." in page
        assert "ended." in page
    assert wishes(db) == []
    assert deferred(db) == 0


@pytest.mark.parametrize("status", ["unknown", "unknown_error_creating_jobs", "pending"])
def test_while_no_job_is_known_one_is_asked_to_wait(web: Browser, db: Session, status: str) -> None:
    request = requested(status=status, settled_at=None)
    page = visiting(web, request.created_by, request).submit(path(request, "cancel"), status=303).follow()
    assert "Try again in a minute" in page
    assert wishes(db) == []


@pytest.mark.parametrize("status", ["failed", "nothing_to_do", "succeeded"])
def test_a_request_that_is_over_without_jobs_has_nothing_to_cancel(
    web: Browser, db: Session, status: str
) -> None:
    request = requested(status=status)
    page = visiting(web, request.created_by, request).submit(path(request, "cancel"), status=303).follow()
    assert "nothing to cancel" in page


def test_only_the_creator_and_those_with_the_role_may_cancel(
    web: Browser, db: Session, running: JobRequest
) -> None:
    [table] = [row for row in _jobs(db, running) if row.action == "table"]
    urls = [path(running, "cancel"), path(running, table.identifier, "cancel")]
    for url in urls:
        assert "/login/" in web.submit(url, status=303).location
    for who in (f.UserFactory(), member(running), member(running, "ProjectCollaborator")):
        visiting(web, who, running)
        for url in urls:
            web.submit(url, status=403)
    assert wishes(db) == []
    visiting(web, f.UserFactory(roles=["DeploymentAdministrator"]), running).submit(urls[1], status=303)
    assert len(wishes(db)) == 1


def test_cancelling_is_never_done_by_a_link(web: Browser, db: Session, running: JobRequest) -> None:
    visiting(web, running.created_by, running)
    one = _jobs(db, running)[0]
    for url in (path(running, "cancel"), path(running, one.identifier, "cancel")):
        assert web.get(url, status=405).headers["Allow"] == "POST"
        web.post(url, status=400)
    assert wishes(db) == []


def test_somebody_elses_path_is_a_404(web: Browser, db: Session, running: JobRequest) -> None:
    """Rap 11: project and workspace of the address count."""
    other = f.JobRequestFactory(created_by=running.created_by)
    job_of_running = _jobs(db, running)[0]
    visiting(web, running.created_by, running)
    web.submit(path(other).replace(f"/{other.id}/", f"/{running.id}/") + "cancel/", status=404)
    web.submit(path(other, job_of_running.identifier, "cancel"), status=404)
    web.submit(path(running, job_of_running.identifier[:8], "cancel"), status=404)
    assert wishes(db) == []
