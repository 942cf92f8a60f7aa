"""The page of a workspace."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver import make_app
from jobserver.actions import job_status
from jobserver.models import MutedWorkspace, utcnow
from jobserver.queries import workspaces as queries
from jobserver.tasks.repositories import MISSING
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
    for user, reason in ((nobody, "not a Project Developer"), (developer, "no backend")):
        said = str(why(web.sign_in(user).get(path(workspace))))
        assert reason in said
        assert "given by a" in said
        assert "@" in said
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
    locked = job_status.lock(db, [row.id])
    job.status = "succeeded"
    db.flush()
    job_status.refresh(db, locked, utcnow())
    db.commit()
    assert changed(tag)


def test_asking_again_for_what_has_not_changed_is_little_work(
    web: Browser, count_statements: Callable[[], Any]
) -> None:
    workspace = f.WorkspaceFactory()
    f.JobFactory(job_request=f.JobRequestFactory(workspace=workspace, status="running", jobs_running=1))
    url = path(workspace) + "?live=1"
    while True:
        tag = web.get(url).headers["ETag"]
        with count_statements() as sent:
            answer = web.get(url, headers={"If-None-Match": tag}, status="*")
        # Between the two a minute may have begun.
        if answer.status_code == 304:
            break
    assert len(sent) == 2, "the path, and the versions"


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


# The repository


def about(page: Any) -> str:
    text = page.html.find("h2", id="about").find_parent("section").get_text(" ")
    return " ".join(text.split()).replace(" .", ".")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Not known yet GitHub has not been asked whether it is private"),
        ({"is_private": False, "checked_at": 5}, "Public GitHub was asked 5 min ago"),
        ({"is_private": True, "checked_at": 5}, "Private GitHub was asked 5 min ago"),
        (
            {"checked_at": 5, "check_failure": MISSING},
            "Not found GitHub knows no such repository, or it is private to us. Asked 5 min ago.",
        ),
        (
            {"is_private": True, "checked_at": 5, "check_failure": "GitHub could not be reached."},
            "Private GitHub could not be reached. Asked 5 min ago.",
        ),
        (
            {"checked_at": 5, "check_failure": "GitHub could not be reached."},
            "Not known yet GitHub could not be reached. Asked 5 min ago.",
        ),
    ],
)
def test_whether_the_repository_is_private_is_said_as_github_last_said(
    web: Browser, fields: dict[str, Any], said: str
) -> None:
    if "checked_at" in fields:
        fields = {**fields, "checked_at": utcnow() - timedelta(minutes=fields["checked_at"])}
    workspace = f.WorkspaceFactory(repo=f.RepoFactory(**fields))
    assert said in about(web.get(path(workspace)))


def still_private(page: Any) -> Any:
    return page.html.find(id="still-private")


def test_members_are_told_that_the_repository_is_still_private(web: Browser, db: Session) -> None:
    """Domain 3.11: from 330 days after the repository's first run, in whichever workspace that was."""
    now = utcnow()
    repo = f.RepoFactory(is_private=True)
    workspace = f.WorkspaceFactory(repo=repo)
    elsewhere = f.WorkspaceFactory(repo=repo)
    first = f.JobRequestFactory(
        workspace=elsewhere, jobs_succeeded=1, started_at=now - timedelta(days=331), created_at=now
    )
    web.sign_in(member(workspace))
    note = still_private(web.get(path(workspace)))
    assert f"request {first.id}" in note.text
    assert note.find("a")["href"] == f"{path(elsewhere)}{first.id}/"
    assert still_private(web.sign_in(f.UserFactory()).get(path(workspace))) is None
    web.sign_in(member(workspace))
    for change in ({"is_private": False}, {"is_private": None}):
        for name, value in change.items():
            setattr(repo, name, value)
        db.commit()
        assert still_private(web.get(path(workspace))) is None
    repo.is_private = True
    first.started_at = now - timedelta(days=329)
    db.commit()
    assert still_private(web.get(path(workspace))) is None


def test_what_ran_elsewhere_in_the_project_does_not_count(web: Browser) -> None:
    """Pages 30.26: it is the repository's first run that counts, not the project's."""
    workspace = f.WorkspaceFactory(repo=f.RepoFactory(is_private=True))
    other = f.WorkspaceFactory(project=workspace.project)
    f.JobRequestFactory(workspace=other, jobs_succeeded=1, started_at=utcnow() - timedelta(days=900))
    f.JobRequestFactory(workspace=workspace, jobs_succeeded=0, created_at=utcnow() - timedelta(days=900))
    assert still_private(web.sign_in(member(workspace)).get(path(workspace))) is None


# The last 90 days


def quarter(page: Any) -> str:
    found = page.html.find("h2", id="quarter")
    return " ".join(found.find_parent("section").get_text(" ").split()) if found else ""


def test_the_last_90_days_are_summed_up(web: Browser) -> None:
    workspace = f.WorkspaceFactory()
    now = utcnow()

    def ran(days_ago: float, status: str, hours: float, **counts: int) -> Any:
        at = now - timedelta(days=days_ago)
        return f.JobRequestFactory(
            workspace=workspace,
            status=status,
            created_at=at,
            started_at=at,
            completed_at=at + timedelta(hours=hours),
            **counts,
        )

    ran(91, "failed", 100, jobs_failed=1)
    ran(80, "succeeded", 2, jobs_succeeded=3)
    ran(40, "failed", 1, jobs_failed=1)
    ran(30, "failed", 1, jobs_cancelled=1)
    ran(20, "nothing_to_do", 0)
    ran(10, "succeeded", 1, jobs_succeeded=1)
    newest = ran(1, "succeeded", 2.5, jobs_succeeded=1)
    f.JobRequestFactory(status="failed", jobs_failed=1)
    page = web.get(path(workspace))
    text = quarter(page)
    assert f"Latest request {newest.id} Succeeded" in text
    assert "Requests 6" in text
    assert "Succeeded 75% of 4 that succeeded or failed" in text
    assert "Time running 7 h 30 min" in text
    picture = page.html.find("h2", id="quarter").find_parent("section").find("svg", class_="hist")
    assert picture["aria-label"] == "2 of the last 7 runs failed"


def test_without_a_request_there_is_nothing_to_sum_up(web: Browser) -> None:
    assert quarter(web.get(path(f.WorkspaceFactory()))) == ""


def test_a_workspace_in_which_nothing_ran_lately_says_so(web: Browser) -> None:
    workspace = f.WorkspaceFactory()
    f.JobRequestFactory(
        workspace=workspace, status="succeeded", jobs_succeeded=1, created_at=utcnow() - timedelta(days=200)
    )
    assert "Requests 0 Time running –" in quarter(web.get(path(workspace)))


def test_many_actions_are_walked_through_and_the_most_recent_results_shown(db: Session) -> None:
    workspace = f.WorkspaceFactory()
    request = f.JobRequestFactory(workspace=workspace)
    now = utcnow()
    for number in range(12):
        for age in (3, 1, 2):
            f.JobFactory(
                job_request=request,
                action=f"action_{number:02}",
                created_at=now - timedelta(hours=age, minutes=number),
                status="succeeded" if age == 1 else "failed",
            )
    found = queries.last_results(db, workspace.id, limit=5)
    assert [row.action for row in found] == [f"action_{number:02}" for number in range(5)]
    assert {row.status for row in found} == {"succeeded"}


# What members may change


def admin(page: Any) -> Any:
    found = page.html.find("h2", id="admin")
    return found.find_parent("section") if found else None


def test_settings_are_shown_to_members_and_buttons_by_permission(web: Browser, db: Session) -> None:
    workspace = f.WorkspaceFactory()
    assert admin(web.get(path(workspace))) is None
    assert admin(web.sign_in(f.UserFactory()).get(path(workspace))) is None
    collaborator = admin(web.sign_in(member(workspace, "ProjectCollaborator")).get(path(workspace)))
    assert "you need the role Project Developer" in collaborator.text
    assert collaborator.find("a", href=f"{path(workspace)}edit/") is None
    assert collaborator.find("form", action=f"{path(workspace)}notifications-toggle/") is None
    web.sign_in(member(workspace, "ProjectDeveloper"))
    page = web.get(path(workspace))
    assert admin(page).find("a", href=f"{path(workspace)}edit/")
    assert admin(page).find("a", href="#archive")
    dialog = page.html.find("dialog", id="archive")
    assert dialog.find("form")["action"] == f"{path(workspace)}archive-toggle/"
    assert dialog.find("input", {"name": "is_archived"})["value"] == "True"
    assert "Nothing new can be run in it" in dialog.text
    assert admin(page).find("input", {"name": "should_notify"})["value"] == "True"
    workspace.is_archived, workspace.should_notify = True, True
    db.commit()
    page = web.get(path(workspace))
    assert admin(page).find("input", {"name": "is_archived"})["value"] == ""
    assert admin(page).find("input", {"name": "should_notify"})["value"] == ""
    assert page.html.find("dialog", id="archive") is None


def test_members_can_mute_the_workspace_for_themselves(web: Browser, db: Session) -> None:
    workspace = f.WorkspaceFactory()
    user = member(workspace)

    def field() -> Any:
        form = web.get(path(workspace)).html.find("form", action=f"{path(workspace)}mute-toggle/")
        return form.find("input", {"name": "muted"})["value"]

    web.sign_in(user)
    assert field() == "True"
    db.add(MutedWorkspace(user_id=user.id, workspace_id=workspace.id))
    db.commit()
    assert field() == ""
    web.sign_in(f.UserFactory())
    assert web.get(path(workspace)).html.find("form", action=f"{path(workspace)}mute-toggle/") is None


def test_an_internal_project_is_said_to_be_one(web: Browser) -> None:
    workspace = f.WorkspaceFactory(project=f.ProjectFactory(slug="opensafely-internal"))
    assert "This is an internal project." in web.get(path(workspace))
    assert "This is an internal project." not in web.get(path(f.WorkspaceFactory()))


def test_html_in_the_names_is_shown_as_text(web: Browser) -> None:
    evil = "<script>alert(1)</script>"
    project = f.ProjectFactory(name=f"P {evil}", org=f.OrgFactory(name=f"O {evil}"))
    workspace = f.WorkspaceFactory(
        project=project,
        branch=f"b{evil}",
        purpose=evil,
        repo=f.RepoFactory(check_failure=evil),
        created_by=f.UserFactory(fullname=f"N {evil}"),
    )
    f.JobFactory(action=evil, job_request=f.JobRequestFactory(workspace=workspace, requested_actions=[evil]))
    page = web.sign_in(member(workspace, "ProjectDeveloper", backends=1)).get(path(workspace))
    assert evil not in page.text
    assert page.text.count("&lt;script&gt;alert(1)") >= 6
