"""Lists by name: organisations, and one's own organisations, projects and workspaces."""

from collections.abc import Callable
from typing import Any

import pytest

from jobserver.models import utcnow
from tests import factories as f
from tests.web.conftest import Browser

MINE = ["/orgs/", "/projects/", "/workspaces/"]


def names(page: Any) -> list[str]:
    """What the rows are called, in their order."""
    return [header.a.text for header in page.html.select("#content tbody th")]


def member(count: int, **user: Any) -> Any:
    """Somebody who belongs to so many organisations and projects, each project with a workspace."""
    person = f.UserFactory(**user)
    for number in range(count):
        org = f.OrgFactory(name=f"Org {number:02}")
        project = f.ProjectFactory(name=f"Study {number:02}", org=org)
        f.OrgMembershipFactory(user=person, org=org)
        f.ProjectMembershipFactory(user=person, project=project, roles=["ProjectDeveloper"])
        f.WorkspaceFactory(name=f"space-{number:02}", project=project)
    return person


@pytest.mark.parametrize("path", MINE)
def test_what_is_mine_needs_signing_in(web: Browser, path: str) -> None:
    assert web.get(path, status=303).location == f"http://localhost/login/?next={path.replace('/', '%2F')}"


@pytest.mark.parametrize("path", [*MINE, "/organisations/", "/users/"])
def test_each_list_names_itself_and_where_it_is(web: Browser, path: str) -> None:
    page = web.sign_in(member(1)).get(path)
    heading = page.html.h1.text
    assert page.html.title.text == f"{heading} – Job server"
    assert page.html.select_one(".crumbs [aria-current]").text == heading
    assert page.html.find("meta", attrs={"name": "description"})["content"]


@pytest.mark.parametrize(
    ("path", "says", "does"),
    [
        ("/organisations/", "No organisations yet", None),
        ("/orgs/", "You belong to no organisation yet", "/organisations/"),
        ("/projects/", "You are not a member of any project yet", "/getting-started/"),
        ("/workspaces/", "Your projects have no workspaces yet", "/projects/"),
    ],
)
def test_an_empty_list_says_what_to_do(web: Browser, path: str, says: str, does: str | None) -> None:
    page = web.sign_in(f.UserFactory()).get(path)
    box = page.html.select_one(".empty")
    assert box.h3.text == says
    assert (box.a["href"] if box.a else None) == does
    assert not page.html.select("form.filters")
    if path in ("/orgs/", "/projects/"):
        assert "tech@opensafely.org" in box.text


def test_all_organisations_are_public_by_name_with_their_projects(web: Browser) -> None:
    first, second = f.OrgFactory(name="beta", slug="b"), f.OrgFactory(name="Alpha", slug="a")
    f.ProjectFactory(org=first, other_orgs=[second])
    f.ProjectFactory(org=second)
    page = web.get("/organisations/")
    rows = [[cell.text.strip() for cell in row.select("th, td")] for row in page.html.select("tbody tr")]
    assert rows == [["Alpha", "2"], ["beta", "1"]]
    assert page.html.find("a", string="Alpha")["href"] == "/a/"


def test_only_my_own_are_listed(web: Browser) -> None:
    member(2, username="other")
    mine = f.OrgMembershipFactory(org__name="Mine").user
    f.ProjectMembershipFactory(user=mine, project__name="My study")
    web.sign_in(mine)
    assert names(web.get("/orgs/")) == ["Mine"]
    assert names(web.get("/projects/")) == ["My study"]
    assert web.get("/workspaces/").html.select_one(".empty")


def test_my_projects_show_status_lead_and_my_roles(web: Browser) -> None:
    user = f.UserFactory()
    project = f.ProjectFactory(
        name="Asthma", number="176", status="completed-and-linked", org=f.OrgFactory(name="Lead", slug="lead")
    )
    f.ProjectMembershipFactory(user=user, project=project, roles=["ProjectDeveloper", "ProjectCollaborator"])
    f.ProjectMembershipFactory(user=user, project__name="Bones")
    rows = web.sign_in(user).get("/projects/").html.select("tbody tr")
    text = " ".join(rows[0].text.split())
    for part in (
        "Asthma176",
        "Completed, paper or report linked",
        "Lead",
        "Project Collaborator, Project Dev",
    ):
        assert part in text
    assert rows[0].find("a", string="Lead")["href"] == "/lead/"
    assert "member, without a role" in rows[1].text


@pytest.mark.parametrize(
    "status",
    [
        "ongoing",
        "postponed",
        "retired",
        "ongoing-and-linked",
        "completed-and-linked",
        "completed-and-awaiting",
    ],
)
def test_every_status_of_a_project_has_words(web: Browser, status: str) -> None:
    user = f.ProjectMembershipFactory(project__status=status).user
    word = web.sign_in(user).get("/projects/").html.select_one("tbody .st").text
    assert word.split(",")[0].lower() == status.split("-")[0]


def test_my_workspaces_show_their_last_run(web: Browser) -> None:
    user = member(1)
    project = f.current().get(f.models.Project, 1)
    ran = f.WorkspaceFactory(name="ran", project=project, branch="dev")
    f.JobRequestFactory(workspace=ran, status="succeeded", completed_at=utcnow())
    f.JobRequestFactory(workspace=ran, status="failed", jobs_failed=1, completed_at=utcnow())
    rows = web.sign_in(user).get("/workspaces/").html.select("tbody tr")
    assert "Failed" in rows[0].text
    assert "dev" in rows[0].text
    assert rows[0].th.a["href"] == f"/{project.org.slug}/{project.slug}/ran/"
    assert "Nothing has run" in rows[1].text


def test_my_workspaces_can_be_narrowed_to_those_in_use_or_archived(web: Browser) -> None:
    user = member(1)
    f.WorkspaceFactory(name="put-away", project=f.current().get(f.models.Project, 1), is_archived=True)
    web.sign_in(user)
    page = web.get("/workspaces/")
    assert names(page) == ["put-away", "space-00"]
    assert "Archived" in page.html.find("tbody").text
    assert names(page.click("Archived")) == ["put-away"]
    in_use = page.click("In use")
    assert names(in_use) == ["space-00"]
    assert in_use.html.select_one(".toggles [aria-current]").text == "In use"
    # A search keeps the choice, and the choice keeps the search.
    form = next(form for form in in_use.forms.values() if form.action == "/workspaces/")
    form["q"] = "put"
    nothing = form.submit()
    assert nothing.html.select_one(".empty h3").text == "Nothing matches"
    assert names(nothing.click("Archived", href="q=put")) == ["put-away"]


def test_an_unknown_state_of_workspaces_is_no_filter(web: Browser) -> None:
    assert names(web.sign_in(member(1)).get("/workspaces/?state=%3Cb%3E")) == ["space-00"]


@pytest.mark.parametrize(
    ("path", "first", "q", "found"),
    [
        ("/organisations/", "Org 00", "G 2", ["Org 20"]),
        ("/orgs/", "Org 00", "org 20", ["Org 20"]),
        ("/projects/", "Study 00", "y 20", ["Study 20"]),
        ("/workspaces/", "space-00", "e-20", ["space-20"]),
    ],
)
def test_a_list_has_pages_of_twenty_and_a_search(
    web: Browser, path: str, first: str, q: str, found: list[str]
) -> None:
    web.sign_in(member(21))
    page = web.get(path)
    assert len(names(page)) == 20
    assert names(page)[0] == first
    assert "Page 1 of 2" in page
    second = page.click("Next")
    assert len(names(second)) == 1
    assert second.html.title.text.startswith("Page 2")
    assert names(web.get(f"{path}?page=last")) == names(second)
    narrowed = web.get(path, {"q": q})
    assert names(narrowed) == found
    assert "1 " in narrowed.html.select_one(".chips [role=status]").text
    assert not narrowed.html.select("nav.pager")


@pytest.mark.parametrize("path", [*MINE, "/organisations/", "/users/"])
@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "1.0", "%D9%A1", "99999999999", "%00"])
def test_a_page_that_the_list_does_not_have_is_a_404(web: Browser, path: str, page: str) -> None:
    web.sign_in(member(1)).get(f"{path}?page={page}", status=404)


@pytest.mark.parametrize("path", [*MINE, "/organisations/", "/users/"])
@pytest.mark.parametrize(
    "q", ["%00", "%25", "_", "\\\\", "'", "%22%3E%3Cscript%3E", "!!", "a" * 3000, ":*", "%26"]
)
def test_rubbish_in_a_search_finds_nothing_and_breaks_nothing(web: Browser, path: str, q: str) -> None:
    page = web.sign_in(member(1)).get(f"{path}?q={q}")
    assert page.html.select_one(".empty h3").text == "Nothing matches"
    assert "<script>" not in page.html.select_one("#content").decode()


def test_names_are_text_and_never_markup(web: Browser) -> None:
    user = f.UserFactory(fullname="<b>Rae</b>")
    org = f.OrgFactory(name="<b>org</b>")
    project = f.ProjectFactory(name="<b>project</b>", org=org)
    f.OrgMembershipFactory(user=user, org=org)
    f.ProjectMembershipFactory(user=user, project=project)
    f.WorkspaceFactory(project=project, branch="<b>branch</b>")
    web.sign_in(user)
    for path in [*MINE, "/organisations/", "/users/"]:
        page = web.get(path)
        assert page.html.select("#content tbody th")
        assert not page.html.select("#content b"), path


@pytest.mark.parametrize("path", [*MINE, "/organisations/", "/users/"])
def test_the_number_of_statements_does_not_grow(
    web: Browser, count_statements: Callable[[], Any], path: str
) -> None:
    numbers = []
    for count in (2, 18):
        f.current().expire_all()
        user = f.UserFactory()
        for _ in range(count):
            membership = f.ProjectMembershipFactory(user=user, roles=["ProjectDeveloper"])
            f.OrgMembershipFactory(user=user, org=membership.project.org)
            workspace = f.WorkspaceFactory(project=membership.project)
            f.JobRequestFactory(workspace=workspace, created_by=user)
        web.sign_in(user)
        with count_statements() as sent:
            web.get(path)
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 5


@pytest.mark.parametrize("path", ["/projects/x/", "/workspaces/x/", "/organisations/x/"])
def test_nothing_follows_the_address_of_a_list(web: Browser, path: str) -> None:
    web.sign_in(f.UserFactory()).get(path, status=404)
