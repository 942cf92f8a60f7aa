"""The page of a workspace."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.models import utcnow
from tests import factories as f
from tests.conftest import make_settings
from tests.web.conftest import Browser


def path(workspace: Any) -> str:
    return f"/{workspace.project.org.slug}/{workspace.project.slug}/{workspace.name}/"


def member(workspace: Any, *roles: str, backends: int = 0) -> Any:
    user = f.UserFactory()
    f.ProjectMembershipFactory(project=workspace.project, user=user, roles=list(roles))
    for _ in range(backends):
        f.BackendMembershipFactory(user=user)
    return user


def run_button(page: Any) -> Any:
    return page.html.find(id="run-jobs")


def why(page: Any) -> str | None:
    """The reason beside the disabled button; None if the button works."""
    button = run_button(page)
    if button.get("aria-disabled") != "true":
        return None
    return str(page.html.find(id=button["aria-describedby"]).text)


def test_everybody_sees_the_facts(web: Browser) -> None:
    workspace = f.WorkspaceFactory(name="asthma-main", purpose="Line one\n<b>two</b>", branch="trunk")
    page = web.get(path(workspace))
    assert workspace.project.name in page
    assert workspace.project.org.name in page
    assert workspace.created_by.fullname in page
    assert "Line one<br>&lt;b&gt;two&lt;/b&gt;" in page.text.replace("\n", "")
    assert 'property="og:title" content="asthma-main"' in page


def test_repository_links_lead_to_the_configured_github(web: Browser) -> None:
    workspace = f.WorkspaceFactory(branch="trunk")
    page = web.get(path(workspace))
    repo = f"http://127.0.0.1:9/{workspace.repo.owner}/{workspace.repo.name}"
    assert page.html.find("a", href=repo)
    assert page.html.find("a", href=f"{repo}/tree/trunk")


def test_a_workspace_of_another_project_or_none_is_a_404(web: Browser) -> None:
    workspace, other = f.WorkspaceFactory(), f.ProjectFactory()
    web.get(f"/{other.org.slug}/{other.slug}/{workspace.name}/", status=404)
    web.get(path(workspace)[:-1] + "x/", status=404)


def test_strangers_see_no_run_button(web: Browser) -> None:
    workspace = f.WorkspaceFactory()
    assert run_button(web.get(path(workspace))) is None
    assert run_button(web.sign_in(f.UserFactory()).get(path(workspace))) is None


def test_a_developer_with_a_backend_can_run_jobs(web: Browser) -> None:
    workspace = f.WorkspaceFactory()
    page = web.sign_in(member(workspace, "ProjectDeveloper", backends=1)).get(path(workspace))
    assert why(page) is None
    assert run_button(page)["href"] == path(workspace) + "run-jobs/"


def test_a_deployment_administrator_can_run_jobs_everywhere(web: Browser) -> None:
    workspace = f.WorkspaceFactory()
    user = f.UserFactory(roles=["DeploymentAdministrator"])
    f.BackendMembershipFactory(user=user)
    assert why(web.sign_in(user).get(path(workspace))) is None


def test_the_button_says_why_it_cannot_be_used(web: Browser, db: Session) -> None:
    """Access 3: archived, no permission, no backend; the first that applies."""
    workspace = f.WorkspaceFactory()
    nobody = member(workspace)
    developer = member(workspace, "ProjectDeveloper")
    assert "not a Project Developer" in str(why(web.sign_in(nobody).get(path(workspace))))
    assert "no backend" in str(why(web.sign_in(developer).get(path(workspace))))
    workspace.is_archived = True
    db.commit()
    assert "archived" in str(why(web.sign_in(nobody).get(path(workspace))))


def test_a_backend_out_of_use_is_no_backend(web: Browser) -> None:
    workspace = f.WorkspaceFactory()
    developer = member(workspace, "ProjectDeveloper")
    f.BackendMembershipFactory(user=developer, backend=f.BackendFactory(is_active=False))
    assert "no backend" in str(why(web.sign_in(developer).get(path(workspace))))


def test_switching_job_creation_off_disables_the_button_of_who_has_only_those_backends(
    postgres: str, engine: Any, db: Session
) -> None:
    web = Browser(make_app(make_settings(postgres, disable_creating_jobs="1"), engine=engine))
    workspace = f.WorkspaceFactory()
    developer = member(workspace, "ProjectDeveloper")
    f.BackendMembershipFactory(user=developer, backend=f.BackendFactory(slug="tpp"))
    assert "TPP are switched off" in str(why(web.sign_in(developer).get(path(workspace))))
    f.BackendMembershipFactory(user=developer)
    assert why(web.get(path(workspace))) is None


def test_archived_is_said_to_those_who_hold_a_role(web: Browser) -> None:
    """Access 3: any role; the text differs for those who can unarchive."""
    workspace = f.WorkspaceFactory(is_archived=True)
    said = "This workspace is archived."
    assert said not in web.get(path(workspace))
    assert said not in web.sign_in(member(workspace)).get(path(workspace))
    collaborator = web.sign_in(member(workspace, "ProjectCollaborator")).get(path(workspace))
    assert said in collaborator
    assert "tech@opensafely.org" in collaborator.html.find("main").text
    developer = web.sign_in(member(workspace, "ProjectDeveloper")).get(path(workspace))
    assert "you may unarchive it" in developer


def test_maintenance_is_said_to_those_who_are_signed_in(web: Browser) -> None:
    """Rap 6.3."""
    workspace = f.WorkspaceFactory()
    f.BackendFactory(slug="tpp", is_in_maintenance_mode=True)
    f.BackendFactory(slug="idle", is_in_maintenance_mode=True, is_active=False)
    assert "maintenance" not in web.get(path(workspace)).html.text
    page = web.sign_in(f.UserFactory()).get(path(workspace))
    assert "TPP is in database maintenance" in page
    assert page.html.find("a", href="/status/#db-maintenance-mode")


def test_the_newest_requests_of_this_workspace_are_shown(web: Browser) -> None:
    workspace = f.WorkspaceFactory()
    rows = [f.JobRequestFactory(workspace=workspace) for _ in range(8)]
    other = f.JobRequestFactory()
    page = web.get(path(workspace))
    shown = [tag["id"] for tag in page.html.select("tr[id^=request-]")]
    assert shown == [f"request-{row.id}" for row in reversed(rows)][:6]
    assert f"request-{other.id}" not in shown
    assert page.html.find("a", string="All 8", href=path(workspace) + "logs/")


def test_the_last_result_of_each_action_on_each_backend_is_shown(web: Browser) -> None:
    workspace = f.WorkspaceFactory()
    tpp, emis = f.BackendFactory(name="TPP"), f.BackendFactory(name="EMIS")
    now = utcnow()

    def ran(backend: Any, action: str, hours_ago: int, status: str) -> Any:
        at = now - timedelta(hours=hours_ago)
        return f.JobFactory(
            job_request=f.JobRequestFactory(workspace=workspace, backend=backend),
            action=action,
            status=status,
            created_at=at,
            started_at=at,
            completed_at=at + timedelta(minutes=26),
        )

    older = ran(tpp, "model", 5, "failed")
    newest = ran(tpp, "model", 2, "succeeded")
    elsewhere = ran(emis, "model", 4, "failed")
    f.JobFactory(action="of_others")
    page = web.get(path(workspace))
    rows = {tag["id"]: " ".join(tag.get_text(" ").split()) for tag in page.html.select("tr[id^=result-]")}
    assert list(rows) == [f"result-{elsewhere.identifier}", f"result-{newest.identifier}"]
    assert rows[f"result-{newest.identifier}"] == "model Succeeded TPP 26 min 1 hour ago"
    assert older.identifier not in page
    link = page.html.find(id=f"result-{newest.identifier}").find("a")["href"]
    assert link == f"{path(workspace)}{newest.job_request_id}/{newest.identifier}/"


def test_a_workspace_in_which_nothing_ran_says_so(web: Browser) -> None:
    assert "Nothing has run here yet" in web.get(path(f.WorkspaceFactory()))


def test_what_runs_refreshes_itself_and_stops_when_it_is_over(web: Browser, db: Session) -> None:
    workspace = f.WorkspaceFactory()
    row = f.JobRequestFactory(workspace=workspace, status="running", jobs_running=1, started_at=utcnow())
    region = web.get(path(workspace)).html.find(id="summary")
    assert region["hx-get"] == path(workspace) + "?live=1"
    assert region["data-live"] == "5"
    assert "Running now" in region.text
    row.status, row.jobs_running, row.jobs_succeeded, row.completed_at = "succeeded", 0, 1, utcnow()
    db.commit()
    region = web.get(path(workspace) + "?live=1").html.find(id="summary")
    assert "hx-get" not in region.attrs
    assert "Running now" not in region.text


def test_the_summary_is_a_304_until_something_changes(web: Browser, db: Session) -> None:
    workspace = f.WorkspaceFactory()
    row = f.JobRequestFactory(workspace=workspace, status="running", jobs_running=1)
    job = f.JobFactory(job_request=row, status="running")
    url = path(workspace) + "?live=1"

    def changed(tag: str) -> bool:
        return bool(web.get(url, headers={"If-None-Match": tag}, status="*").status_code == 200)

    tags = [web.get(url).headers["ETag"] for _ in range(2)]
    assert not changed(tags[1]) or not changed(web.get(url).headers["ETag"])
    for change in ({"version": 2}, {"jobs_failed": 1, "version": 3}):
        tag = web.get(url).headers["ETag"]
        for name, value in change.items():
            setattr(row, name, value)
        db.commit()
        assert changed(tag)
    tag = web.get(url).headers["ETag"]
    job.status = "succeeded"
    db.commit()
    assert changed(tag)


@pytest.mark.parametrize("live", ["", "?live=1"])
def test_the_number_of_statements_does_not_grow(
    web: Browser, count_statements: Callable[[], Any], live: str
) -> None:
    workspace = f.WorkspaceFactory()
    web.sign_in(member(workspace, "ProjectDeveloper", backends=2))
    numbers = []
    for more in (2, 18):
        for _ in range(more):
            f.JobFactory(job_request=f.JobRequestFactory(workspace=workspace, status="running"))
        with count_statements() as sent:
            web.get(path(workspace) + live)
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12


def test_addresses_in_the_purpose_become_links_and_nothing_else_does(web: Browser) -> None:
    """Pages 15.1."""
    workspace = f.WorkspaceFactory(
        purpose='See https://example.org/a and javascript:alert(1) <a href="x">y</a>'
    )
    lede = web.get(path(workspace)).html.select_one(".lede")
    assert [link["href"] for link in lede.find_all("a")] == ["https://example.org/a"]
