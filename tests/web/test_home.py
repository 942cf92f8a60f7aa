"""The front page: what this is, or what concerns you."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver import models
from jobserver.models import utcnow
from tests import factories as f
from tests.web.conftest import Browser


def request_of(user: Any, **values: Any) -> Any:
    return f.JobRequestFactory(created_by=user, **values)


def researcher() -> Any:
    """Somebody who may run jobs: a developer of a project with a workspace and a backend."""
    user = f.UserFactory(fullname="Rae Searcher")
    project = f.ProjectFactory(name="Asthma in adults", number="176")
    f.ProjectMembershipFactory(project=project, user=user, roles=["ProjectDeveloper"])
    f.WorkspaceFactory(project=project, name="asthma-main")
    f.BackendMembershipFactory(user=user)
    f.OrgMembershipFactory(user=user, org=project.org)
    return user


def test_anonymous_visitors_see_the_promise_and_the_newest_requests(web: Browser) -> None:
    row = f.JobRequestFactory(created_by__fullname="Ann Alyst")
    page = web.get("/")
    assert "patient data that they can never see" in page
    assert "Ann Alyst" in page.html.find(id=f"request-{row.id}").text
    assert page.html.find("a", string="Event log", href="/event-log/")
    assert "Your work" not in page


def test_an_empty_platform_says_so(web: Browser) -> None:
    assert "Nothing has run yet" in web.get("/")


def test_only_the_ten_newest_requests_on_active_backends_are_shown(web: Browser) -> None:
    """Pages 5.3."""
    active, idle = f.BackendFactory(), f.BackendFactory(is_active=False)
    rows = [f.JobRequestFactory(backend=active) for _ in range(11)]
    hidden = f.JobRequestFactory(backend=idle)
    shown = [
        int(tag["id"].split("-")[1]) for tag in web.get("/").html.select("#events ~ table tbody tr, tr[id]")
    ]
    assert shown == [row.id for row in reversed(rows)][:10]
    assert hidden.id not in shown


def test_somebody_signed_in_sees_their_own_work(web: Browser, db: Session) -> None:
    user = researcher()
    mine, other = request_of(user), f.JobRequestFactory()
    page = web.sign_in(user).get("/")
    assert "Rae Searcher" in page
    assert "asthma-main" in page
    assert "Project Developer" in page
    table = page.html.find("h2", id="mine").find_parent("section")
    assert table.find("a", string=str(mine.id))
    assert not table.find("a", string=str(other.id))


def test_run_jobs_is_offered_only_where_the_permission_and_a_backend_are(web: Browser) -> None:
    user = researcher()
    read_only = f.ProjectFactory()
    f.ProjectMembershipFactory(project=read_only, user=user, roles=["ProjectCollaborator"])
    f.WorkspaceFactory(project=read_only, name="read-only")
    page = web.sign_in(user).get("/")
    assert "Run jobs in asthma-main" in " ".join(page.text.replace('<span class="vh">', "").split())
    assert "in read-only</span>" not in page


def test_archived_workspaces_are_not_mine_to_run(web: Browser) -> None:
    user = f.UserFactory()
    membership = f.ProjectMembershipFactory(user=user)
    f.WorkspaceFactory(project=membership.project, name="put-away", is_archived=True)
    assert "put-away" not in web.sign_in(user).get("/")


def test_what_runs_now_is_mine_and_refreshes_itself(web: Browser) -> None:
    user = f.UserFactory()
    going = request_of(user, status="running", jobs_running=1, started_at=utcnow())
    ended = request_of(user, status="succeeded", jobs_succeeded=1, completed_at=utcnow())
    f.JobRequestFactory(status="running")
    region = web.sign_in(user).get("/").html.find(id="running")
    assert region["hx-get"] == "/?live=1"
    assert [tag["id"] for tag in region.select(".runrow")] == [f"running-{going.id}"]
    assert str(ended.id) not in [tag.text for tag in region.select("b")]


def test_nothing_refreshes_when_nothing_runs(web: Browser) -> None:
    region = web.sign_in(f.UserFactory()).get("/").html.find(id="running")
    assert "hx-get" not in region.attrs


def test_the_running_region_alone_is_a_304_while_nothing_changes(web: Browser, db: Session) -> None:
    user = f.UserFactory()
    row = request_of(user, status="running", jobs_running=1, started_at=utcnow())
    web.sign_in(user)
    assert _unchanged(web, "/?live=1")
    before = web.get("/?live=1")
    row.version += 1
    db.commit()
    after = web.get("/?live=1", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert "<html" not in after
    assert after.headers["Cache-Control"] == "private, no-cache"


def _unchanged(web: Browser, url: str) -> bool:
    """Whether the same answer is not sent again; a minute may end between two looks."""
    for _ in range(2):
        tag = web.get(url).headers["ETag"]
        if web.get(url, headers={"If-None-Match": tag}, status="*").status_code == 304:
            return True
    return False


def test_nobody_gets_another_persons_copy(web: Browser) -> None:
    tags = {web.sign_in(f.UserFactory()).get("/?live=1").headers["ETag"] for _ in range(2)}
    assert len(tags) == 2


def test_a_region_whose_session_has_ended_stays_as_it_is(web: Browser) -> None:
    web.get("/?live=1", status=204)


def needing(page: Any) -> list[str]:
    """The things that the page says need the reader."""
    heading = page.html.find("h2", id="needs-you")
    items = heading.find_parent("section").select("li") if heading else []
    return [" ".join(item.text.split()) for item in items]


def failed(user: Any, **values: Any) -> Any:
    """A request of the user whose one job failed an hour ago."""
    ended = values.pop("completed_at", utcnow() - timedelta(hours=1))
    row = request_of(user, status="failed", jobs_failed=1, started_at=ended, completed_at=ended, **values)
    f.JobFactory(
        job_request=row, action="fit", status="failed", status_code="nonzero_exit", completed_at=ended
    )
    return row


def test_nothing_needs_somebody_of_whom_nothing_failed(web: Browser) -> None:
    user = researcher()
    request_of(user, status="succeeded", jobs_succeeded=1, completed_at=utcnow())
    assert needing(web.sign_in(user).get("/")) == []


def test_a_failure_needs_me_and_leads_to_the_job_that_failed(web: Browser, db: Session) -> None:
    user = researcher()
    row = failed(user)
    never_started = f.JobFactory(
        job_request=row, action="report", status="failed", status_code="dependency_failed"
    )
    cause = db.scalars(select(models.Job).where(models.Job.action == "fit")).one()
    page = web.sign_in(user).get("/")
    [item] = needing(page)
    assert item.startswith(f"fit failed in request {row.id}")
    assert "Your code stopped with an error, 1 hour ago" in item
    assert page.html.find("a", string="What happened")["href"].endswith(f"/{row.id}/{cause.identifier}/")
    assert never_started.identifier not in page


def test_a_request_that_was_refused_leads_to_itself_and_says_why(web: Browser) -> None:
    user = researcher()
    row = request_of(
        user, status="failed", completed_at=utcnow(), status_message="There is no action <b>fit</b>"
    )
    page = web.sign_in(user).get("/")
    assert "There is no action <b>fit</b>" in needing(page)[0]
    assert page.html.find("a", string="What happened")["href"].endswith(f"/{row.id}/")


@pytest.mark.parametrize(
    "again",
    [
        {"requested_actions": ["run_all"]},
        {"requested_actions": ["fit"]},
        {"requested_actions": ["describe"]},
        {"requested_actions": ["other"], "repeats": True},
    ],
)
def test_a_failure_of_which_something_was_asked_again_is_seen_to(web: Browser, again: dict[str, Any]) -> None:
    """Everything; the action that failed; one that was asked for; or a repetition made as such."""
    user = researcher()
    row = failed(user, requested_actions=["describe"])
    repeats = again.pop("repeats", False)
    request_of(
        f.UserFactory(),
        workspace=row.workspace,
        backend=row.backend,
        rerun_of_id=row.id if repeats else None,
        **again,
    )
    assert needing(web.sign_in(user).get("/")) == []


@pytest.mark.parametrize("difference", ["other actions", "other backend", "other workspace", "earlier"])
def test_a_failure_is_not_seen_to_by_something_else(web: Browser, difference: str) -> None:
    user = researcher()
    backend, workspace = f.BackendFactory(), f.WorkspaceFactory()

    def other() -> None:
        request_of(
            f.UserFactory(),
            backend=f.BackendFactory() if difference == "other backend" else backend,
            workspace=f.WorkspaceFactory() if difference == "other workspace" else workspace,
            requested_actions=["unrelated" if difference == "other actions" else "run_all"],
        )

    if difference == "earlier":
        other()
    failed(user, backend=backend, workspace=workspace, requested_actions=["describe"])
    if difference != "earlier":
        other()
    assert len(needing(web.sign_in(user).get("/"))) == 1


@pytest.mark.parametrize("why_not", ["long ago", "cancelled", "somebody else's", "archived"])
def test_failures_that_need_nobody_or_somebody_else(web: Browser, why_not: str) -> None:
    user = researcher()
    if why_not == "long ago":
        failed(user, completed_at=utcnow() - timedelta(days=15))
    elif why_not == "cancelled":
        request_of(user, status="failed", jobs_cancelled=2, completed_at=utcnow())
    elif why_not == "archived":
        failed(user, workspace=f.WorkspaceFactory(is_archived=True))
    else:
        failed(f.UserFactory())
    assert needing(web.sign_in(user).get("/")) == []


def test_only_the_newest_failures_are_listed_and_that_is_said(web: Browser) -> None:
    user = researcher()
    rows = [failed(user) for _ in range(6)]
    page = web.sign_in(user).get("/")
    assert len(needing(page)) == 5
    assert f"request {rows[0].id}" not in " ".join(needing(page))
    assert "the newest 5 failures" in page


def test_a_colleagues_failure_in_a_workspace_of_mine_is_named_after_them(web: Browser, db: Session) -> None:
    user = researcher()
    workspace = db.scalars(select(models.Workspace)).one()
    failed(f.UserFactory(fullname="Col League"), workspace=workspace)
    [item] = needing(web.sign_in(user).get("/"))
    assert item.startswith("The last run in asthma-main failed")
    assert "asked for by Col League" in item


def test_my_failure_is_not_listed_twice(web: Browser, db: Session) -> None:
    user = researcher()
    failed(user, workspace=db.scalars(select(models.Workspace)).one())
    assert len(needing(web.sign_in(user).get("/"))) == 1


@pytest.mark.parametrize("state", ["silent", "maintenance", "well"])
def test_a_backend_that_holds_up_my_requests_is_named(web: Browser, state: str) -> None:
    user = f.UserFactory()
    seen = utcnow() - timedelta(hours=1 if state == "silent" else 0)
    backend = f.BackendFactory(slug="tpp", last_seen_at=seen, is_in_maintenance_mode=state == "maintenance")
    row = request_of(user, backend=backend, status="pending", jobs_pending=1)
    f.JobRequestFactory(backend=f.BackendFactory(last_seen_at=seen), status="pending")
    items = needing(web.sign_in(user).get("/"))
    if state == "well":
        assert items == []
        return
    [item] = items
    says = "No news from TPP since 1 hour ago" if state == "silent" else "The database of TPP is under main"
    assert item.startswith(says)
    assert str(row.id) in item


@pytest.mark.parametrize(
    ("days", "said"), [(329, None), (331, "must be public by"), (400, "should have been public since")]
)
def test_a_private_repository_must_become_public_twelve_months_after_its_code_first_ran(
    web: Browser, db: Session, days: int, said: str | None
) -> None:
    """Pages 30.2 no. 26: measured by the repository, whichever project's workspace ran first."""
    user = researcher()
    mine = db.scalars(select(models.Workspace)).one()
    repo = f.RepoFactory(is_private=True, url="https://github.com/opensafely/asthma-study")
    mine.repo_id = repo.id
    db.commit()
    first = f.WorkspaceFactory(repo=repo, is_archived=True)
    then = utcnow() - timedelta(days=days)
    request_of(f.UserFactory(), workspace=first, status="succeeded", jobs_succeeded=1, started_at=then)
    items = needing(web.sign_in(user).get("/"))
    assert [said in item for item in items] == ([True] if said else [])


@pytest.mark.parametrize("why_not", ["public", "unknown", "signed off", "not mine", "never ran"])
def test_a_repository_of_which_nothing_is_asked(web: Browser, db: Session, why_not: str) -> None:
    user = researcher()
    mine = db.scalars(select(models.Workspace)).one()
    repo = f.RepoFactory(is_private={"public": False, "unknown": None}.get(why_not, True))
    if why_not == "signed off":
        repo.researcher_signed_off_at, repo.researcher_signed_off_by_id = utcnow(), user.id
    workspace = f.WorkspaceFactory(repo=repo)
    if why_not != "not mine":
        mine.repo_id = repo.id
    db.commit()
    ran = {} if why_not == "never ran" else {"jobs_succeeded": 1, "status": "succeeded"}
    then = utcnow() - timedelta(days=400)
    request_of(f.UserFactory(), workspace=workspace, created_at=then, started_at=then, **ran)
    assert needing(web.sign_in(user).get("/")) == []


@pytest.mark.parametrize("expired", [False, True])
def test_an_address_that_waits_to_be_confirmed_is_a_thing_to_do(
    web: Browser, db: Session, expired: bool
) -> None:
    user = researcher()
    db.add(
        models.EmailChange(
            user_id=user.id,
            email="new@example.com",
            digest="d",
            expires_at=utcnow() + timedelta(hours=-1 if expired else 1),
        )
    )
    db.commit()
    items = needing(web.sign_in(user).get("/"))
    assert ["new@example.com" in item for item in items] == ([] if expired else [True])


def test_a_username_in_the_place_of_a_name_is_a_thing_to_do(web: Browser) -> None:
    user = f.UserFactory(username="rae", fullname="Rae")
    page = web.sign_in(user).get("/")
    assert needing(page)[0].startswith("Your full name is missing")
    assert page.html.find("a", string="Add your name")["href"] == "/settings/"


def test_what_is_mine_is_counted(web: Browser) -> None:
    user = researcher()
    request_of(user)
    request_of(user, backend=f.BackendFactory(is_active=False))
    lede = web.sign_in(user).get("/").html.select_one(".lede")
    assert " ".join(lede.text.split()) == (
        f"Signed in as Rae Searcher ({user.username}): 2 job requests, 1 workspace, 1 project"
    )
    assert [link["href"] for link in lede.find_all("a")] == [
        f"/users/{user.username}/logs/",
        "/workspaces/",
        "/projects/",
    ]


def test_github_is_named_only_where_it_is_used(web: Browser) -> None:
    """Pages 30.2 no. 20."""
    user = f.UserFactory()
    assert "via GitHub" not in web.sign_in(user).get("/").html.select_one(".lede").text
    f.GithubIdentityFactory(user=user)
    assert "via GitHub" in web.sign_in(user).get("/").html.select_one(".lede").text


def test_requests_on_idle_backends_only_are_still_said_to_be_there(web: Browser) -> None:
    user = f.UserFactory()
    request_of(user, backend=f.BackendFactory(is_active=False))
    section = web.sign_in(user).get("/").html.find("h2", id="mine").find_parent("section")
    assert "Nothing on backends that are in use" in section.text
    assert section.find("a", href=f"/users/{user.username}/logs/")


def test_projects_are_shown_by_name_as_they_say(web: Browser) -> None:
    """Pages 30.2 no. 21."""
    user = f.UserFactory()
    for name in ("beta", "Alpha", "Gamma"):
        f.ProjectMembershipFactory(user=user, project=f.ProjectFactory(name=name))
    section = web.sign_in(user).get("/").html.find("h2", id="your-projects").find_parent("section")
    assert "by name" in section.header.text
    assert [link.text for link in section.select("li a")] == ["Alpha", "beta", "Gamma"]


def test_a_workspace_shows_its_last_twelve_requests(web: Browser, db: Session) -> None:
    user = researcher()
    workspace = db.scalars(select(models.Workspace)).one()
    for number in range(14):
        status = "failed" if number in (1, 5) else "succeeded"
        request_of(f.UserFactory(), workspace=workspace, status=status, completed_at=utcnow())
    history = web.sign_in(user).get("/").html.select_one("svg.hist")
    assert history["aria-label"] == "1 of the last 12 runs failed"
    assert "st-failed" in history.select("rect")[3]["class"]


def test_the_front_page_says_what_it_is_to_search_engines(web: Browser) -> None:
    page = web.get("/")
    description = page.html.find("meta", attrs={"name": "description"})["content"]
    assert "on the public record" in description
    assert description == page.html.select_one(".lede").text
    assert page.html.find("img") is None


def test_names_are_text_and_never_markup(web: Browser) -> None:
    user = f.UserFactory(fullname="<b>Rae</b>")
    request_of(user, requested_actions=["<i>a</i>"], status="running")
    page = web.sign_in(user).get("/")
    assert "<b>Rae</b>" not in page
    assert "<i>a</i>" not in page


@pytest.mark.parametrize("signed_in", [True, False])
def test_the_number_of_statements_does_not_grow(
    web: Browser, count_statements: Callable[[], Any], signed_in: bool
) -> None:
    user = researcher()
    if signed_in:
        web.sign_in(user)
    numbers = []
    for more in (2, 18):
        for _ in range(more):
            membership = f.ProjectMembershipFactory(user=user, roles=["ProjectDeveloper"])
            workspace = f.WorkspaceFactory(project=membership.project)
            request_of(user, workspace=workspace, status="running", jobs_running=1)
            failed(user, workspace=f.WorkspaceFactory(project=membership.project))
        with count_statements() as sent:
            web.get("/")
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12
