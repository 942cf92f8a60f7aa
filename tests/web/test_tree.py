"""Addresses: one statement finds a path, old addresses lead on, and who may see what (spec: the addresses page)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jobserver import models
from jobserver.models import utcnow
from tests import factories as f
from tests.web.conftest import Browser


@pytest.fixture
def job(db: Any) -> models.Job:
    """A job at the end of a full path."""
    org = f.OrgFactory(slug="datalab", name="Data Lab")
    project = f.ProjectFactory(slug="vaccines", org=org, other_orgs=[f.OrgFactory(slug="partner")])
    workspace = f.WorkspaceFactory(name="uptake", project=project)
    request = f.JobRequestFactory(workspace=workspace)
    return f.JobFactory(job_request=request, identifier="abcdefgh23456723")


def path_to(job: models.Job, end: str = "") -> str:
    return f"/datalab/vaccines/uptake/{job.job_request_id}/{end}"


def test_the_whole_path_is_loaded_by_one_statement_and_the_caller_by_one_more(
    web: Browser, job: models.Job, count_statements: Callable[[], Any]
) -> None:
    """Architecture, the one idea: however deep the path."""
    user = f.UserFactory(roles=["OutputChecker"])
    f.ProjectMembershipFactory(
        user=user, project=job.job_request.workspace.project, roles=["ProjectDeveloper"]
    )
    web.sign_in(user)
    with count_statements() as statements:
        # A page that needs nothing but the path and the caller: its last segment names nothing.
        web.post(path_to(job, f"{job.identifier}/no-such-page/"), status="*")
    from_path = [each for each in statements if "WHERE org.slug" in each]
    callers = [each for each in statements if "user_session" in each]
    assert len(from_path) == 1
    assert len(callers) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/orgs/datalab/?a=1", "/datalab/?a=1"),
        ("/orgs/datalab/logs/", "/datalab/logs/"),
        ("/vaccines/", "/datalab/vaccines/"),
        ("/vaccines/logs/?page=2&q=%C3%BC", "/datalab/vaccines/logs/?page=2&q=%C3%BC"),
        ("/vaccines/uptake/run-jobs/", "/datalab/vaccines/uptake/run-jobs/"),
        ("/vaccines/uptake/{id}/", "/datalab/vaccines/uptake/{id}/"),
        ("/vaccines/uptake/{id}/abcdefgh23456723/", "/datalab/vaccines/uptake/{id}/abcdefgh23456723/"),
        ("/partner/vaccines/uptake/?x=y", "/datalab/vaccines/uptake/?x=y"),
        ("/datalab/vaccines/uptake/{id}/abcdefgh/", "/datalab/vaccines/uptake/{id}/abcdefgh23456723/"),
    ],
)
def test_an_old_address_redirects_for_good_and_keeps_the_query(
    web: Browser, job: models.Job, old: str, new: str
) -> None:
    number = job.job_request_id
    answer = web.get(old.format(id=number), status=301)
    assert answer.location == "http://localhost" + new.format(id=number)


@pytest.mark.parametrize("path", ["/orgs/datalab/", "/vaccines/", "/partner/vaccines/"])
def test_only_reading_methods_redirect(web: Browser, job: models.Job, path: str) -> None:
    web.submit(path, status=404)


def test_an_organisation_that_takes_no_part_in_the_project_has_no_such_page(
    web: Browser, job: models.Job
) -> None:
    f.OrgFactory(slug="stranger")
    web.get("/stranger/vaccines/", status=404)


@pytest.mark.parametrize(
    "path",
    [
        "/datalab/vaccines/other/",
        "/datalab/vaccines/uptake/0/",
        "/datalab/vaccines/uptake/99999999999999999999/",
        "/datalab/vaccines/uptake/%D9%A1/",
        "/datalab/vaccines/uptake/1e0/",
        "/DATALAB/",
        "/datalab/vaccines/uptake/{id}/zzzzzzzz/",
        "/datalab/vaccines/uptake/{id}/abc/",
        "/datalab/vaccines/uptake/0{id}/",
    ],
)
def test_what_is_not_there_is_a_404(web: Browser, job: models.Job, path: str) -> None:
    web.get(path.format(id=job.job_request_id), status=404)


def test_a_prefix_that_several_jobs_share_is_a_404(web: Browser, job: models.Job) -> None:
    f.JobFactory(job_request=job.job_request, identifier="abcdefgh7777aaaa")
    web.get(path_to(job, "abcdefgh/"), status=404)


def test_a_job_request_of_another_workspace_is_a_404(web: Browser, job: models.Job) -> None:
    """Access 8.38: the whole path counts."""
    other = f.JobRequestFactory(workspace__project=job.job_request.workspace.project)
    web.get(f"/datalab/vaccines/uptake/{other.id}/", status=404)


@pytest.mark.parametrize("path", ["/jobs/abcdefgh23456723/", "/job-requests/{id}/"])
def test_short_addresses_lead_to_the_page(web: Browser, job: models.Job, path: str) -> None:
    location = web.get(path.format(id=job.job_request_id), status=302).location
    assert location.startswith("http://localhost/datalab/vaccines/uptake/")


@pytest.mark.parametrize("path", ["/jobs/nonsense/", "/job-requests/7777/", "/job-requests/x/"])
def test_short_addresses_of_nothing_are_a_404(web: Browser, job: models.Job, path: str) -> None:
    web.get(path, status=404)


def stored(job: models.Job, old_url: str, **changes: Any) -> None:
    session = f.current()
    session.add(models.Redirect(old_url=old_url, created_by_id=job.job_request.created_by_id, **changes))
    session.commit()


def test_a_stored_redirect_replaces_the_leading_part_only(web: Browser, job: models.Job) -> None:
    """Domain 13.27: once, at the front, with the query; not for good, since it expires."""
    stored(job, "/old/", project_id=job.job_request.workspace.project_id)
    answer = web.get("/old/uptake/old/?x=1", status=302)
    assert answer.location == "http://localhost/datalab/vaccines/uptake/old/?x=1"


def test_the_longest_stored_redirect_wins(web: Browser, job: models.Job) -> None:
    stored(job, "/old/", org_id=job.job_request.workspace.project.org_id)
    stored(job, "/old/thing/", workspace_id=job.job_request.workspace_id)
    assert web.get("/old/thing/logs/", status=302).location.endswith("/datalab/vaccines/uptake/logs/")
    assert web.get("/old/", status=302).location == "http://localhost/datalab/"


@pytest.mark.parametrize("ended", ["expired", "withdrawn"])
def test_an_ended_redirect_leads_nowhere(web: Browser, job: models.Job, ended: str) -> None:
    changes: dict[str, Any] = {"expires_at": utcnow() - timedelta(days=1)}
    if ended == "withdrawn":
        changes = {"deleted_at": utcnow(), "deleted_by_id": job.job_request.created_by_id}
    stored(job, "/old/", org_id=job.job_request.workspace.project.org_id, **changes)
    web.get("/old/", status=404)


def test_what_exists_wins_over_a_redirect(web: Browser, job: models.Job) -> None:
    """Domain 13.28: no loop after renaming there and back."""
    stored(job, "/datalab/", project_id=job.job_request.workspace.project_id)
    web.get("/datalab/", status=200)


@pytest.mark.parametrize("path", ["/api/x/", "/staff/x/", "/api-old/"])
def test_exempt_are_whole_segments(web: Browser, job: models.Job, path: str) -> None:
    stored(job, path, org_id=job.job_request.workspace.project.org_id)
    web.get(path, status=302 if path == "/api-old/" else 404)


def test_refusals(web: Browser, job: models.Job) -> None:
    """Anonymous: sign in, with a way back. Signed in without the permission: 403 that names the role."""
    page = "/datalab/vaccines/uptake/run-jobs/"
    answer = web.get(page + "?ref=x", status=303)
    assert (
        answer.location
        == "http://localhost/login/?next=%2Fdatalab%2Fvaccines%2Fuptake%2Frun-jobs%2F%3Fref%3Dx"
    )
    web.sign_in(f.UserFactory())
    refusal = web.get(page, status=403)
    assert "Project Developer, for this project" in refusal
    assert "Deployment Administrator" in refusal


def test_a_form_of_somebody_who_must_sign_in_first_does_not_come_back_as_a_page(
    web: Browser, job: models.Job
) -> None:
    answer = web.submit(path_to(job, "cancel/"), status=303)
    assert answer.location == "http://localhost/login/?next=%2F"
