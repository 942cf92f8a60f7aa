"""The front page: what this is, or what concerns you."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

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


def test_somebody_with_nothing_learns_what_is_missing_and_whom_to_ask(web: Browser) -> None:
    page = web.sign_in(f.UserFactory()).get("/")
    steps = page.html.find("h2", id="first-run").find_parent("section")
    missing = [item.b.text for item in steps.find_all("li") if "missing" in item.text]
    assert missing == [
        "Belong to an organisation",
        "Be a Project Developer of a project",
        "Have a backend",
        "Have a workspace",
        "Run jobs",
    ]
    assert "tech@opensafely.org" in steps.text


def test_the_checklist_knows_what_somebody_has(web: Browser) -> None:
    page = web.sign_in(researcher()).get("/")
    steps = page.html.find("h2", id="first-run").find_parent("section")
    assert [item.b.text for item in steps.find_all("li") if "missing" in item.text] == ["Run jobs"]


def test_a_member_without_the_role_is_told_so(web: Browser) -> None:
    user = f.ProjectMembershipFactory().user
    assert "no role of yours there lets you run jobs" in web.sign_in(user).get("/")


@pytest.mark.parametrize("known", ["first request", "global role"])
def test_the_checklist_is_for_newcomers_only(web: Browser, known: str) -> None:
    user = f.UserFactory(roles=["OutputChecker"] if known == "global role" else [])
    if known == "first request":
        request_of(user)
    assert "On the way to your first run" not in web.sign_in(user).get("/")


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
        with count_statements() as sent:
            web.get("/")
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12
