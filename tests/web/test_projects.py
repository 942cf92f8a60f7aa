"""The page of a project."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from jobserver.models import utcnow
from jobserver.tasks.repositories import MISSING
from tests import factories as f
from tests.web.conftest import Browser


def path(project: Any) -> str:
    return f"/{project.org.slug}/{project.slug}/"


def section(page: Any, heading: str) -> str:
    return " ".join(page.html.find("h2", id=heading).find_parent("section").get_text(" ").split())


def test_the_title_has_the_number(web: Browser) -> None:
    project = f.ProjectFactory(name="Asthma", number="POS-2026-2001")
    page = web.get(path(project))
    assert page.html.title.text == "POS-2026-2001 - Asthma – Job server"
    assert "POS-2026-2001 - Asthma" in page.html.h1.text


def test_workspaces_in_use_come_first(web: Browser) -> None:
    project = f.ProjectFactory()
    f.WorkspaceFactory(project=project, name="a-old", is_archived=True)
    f.WorkspaceFactory(project=project, name="c-main", branch="trunk")
    f.WorkspaceFactory(project=project, name="b-main")
    f.WorkspaceFactory(name="of-others")
    page = web.get(path(project))
    names = [row.th.text for row in page.html.select("tbody tr")]
    assert names == ["b-main", "c-main", "a-old"]
    assert page.html.find("a", string="c-main")["href"] == f"{path(project)}c-main/"


def test_whether_a_workspace_is_archived_is_for_those_who_hold_a_role(web: Browser) -> None:
    """Access 3."""
    project = f.ProjectFactory()
    f.WorkspaceFactory(project=project, is_archived=True)
    assert "Archived" not in web.get(path(project))
    assert "Archived" not in web.sign_in(f.UserFactory()).get(path(project))
    assert "Archived" in web.sign_in(f.UserFactory(roles=["OutputPublisher"])).get(path(project))


def test_roles_are_shown_to_those_who_share_an_organisation(web: Browser) -> None:
    """Access 3, and case 21 of 7.6: any of the project's organisations."""
    partner = f.OrgFactory()
    project = f.ProjectFactory(other_orgs=[partner])
    f.ProjectMembershipFactory(project=project, user__fullname="Zoe", roles=["ProjectDeveloper"])
    f.ProjectMembershipFactory(project=project, user__fullname="ann")
    anonymous = section(web.get(path(project)), "researchers")
    assert anonymous == "Researchers 2 ann Zoe"
    stranger = web.sign_in(f.OrgMembershipFactory().user).get(path(project))
    assert section(stranger, "researchers") == anonymous
    colleague = web.sign_in(f.OrgMembershipFactory(org=partner).user).get(path(project))
    assert section(colleague, "researchers") == "Researchers 2 ann No role Zoe Project Developer"


def test_its_organisations_are_listed_with_the_lead_first(web: Browser) -> None:
    partner = f.OrgFactory(name="Aardvark")
    project = f.ProjectFactory(org__name="Zebra", other_orgs=[partner])
    assert section(web.get(path(project)), "organisations") == (
        "Organisations 2 Zebra leads the project Aardvark"
    )


def test_status_and_its_description_are_not_public(web: Browser) -> None:
    """Pages 14.1."""
    project = f.ProjectFactory(status="retired", status_description="internal words")
    page = web.get(path(project))
    assert "retired" not in page.html.text.lower()
    assert "internal words" not in page


def test_the_first_run_is_the_earliest_start_over_all_workspaces(web: Browser) -> None:
    project = f.ProjectFactory()
    now = utcnow()
    later = f.JobRequestFactory(
        workspace__project=project, jobs_succeeded=1, started_at=now - timedelta(days=30)
    )
    first = f.JobRequestFactory(
        workspace__project=project, jobs_failed=1, started_at=now - timedelta(days=60)
    )
    f.JobRequestFactory(workspace__project=project, created_at=now - timedelta(days=90))
    text = section(web.get(path(project)), "about")
    assert f"request {first.id}" in text
    assert f"request {later.id}" not in text
    assert "before the project was entered here" in text


def test_a_project_in_which_nothing_ran_says_so(web: Browser) -> None:
    page = web.get(path(f.ProjectFactory()))
    assert "No code has run yet" in page
    assert "No workspaces yet" in page
    assert "Nobody belongs to this project yet" in page


def test_another_organisations_address_leads_to_the_lead(web: Browser) -> None:
    partner = f.OrgFactory()
    project = f.ProjectFactory(other_orgs=[partner])
    answer = web.get(f"/{partner.slug}/{project.slug}/?a=1", status=301)
    assert answer.location.endswith(f"{path(project)}?a=1")
    web.get(f"/{f.OrgFactory().slug}/{project.slug}/", status=404)


def test_the_number_of_statements_does_not_grow(web: Browser, count_statements: Callable[[], Any]) -> None:
    project = f.ProjectFactory()
    web.sign_in(f.UserFactory(roles=["TechSupport"]))
    numbers = []
    for more in (2, 18):
        f.WorkspaceFactory.create_batch(more, project=project)
        f.ProjectMembershipFactory.create_batch(more, project=project)
        with count_statements() as sent:
            web.get(path(project))
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12


def names(page: Any) -> list[str]:
    return [
        row.th.text for row in page.html.find("section", {"aria-labelledby": "workspaces"}).select("tbody tr")
    ]


def test_workspaces_come_in_pages_of_25(web: Browser) -> None:
    project = f.ProjectFactory()
    f.WorkspaceFactory(project=project, name="zz-archived", is_archived=True)
    for number in range(30):
        f.WorkspaceFactory(project=project, name=f"w-{number:02}")
    page = web.get(path(project))
    assert names(page) == [f"w-{number:02}" for number in range(25)]
    assert section(page, "workspaces").startswith("Workspaces 31")
    second = web.get(path(project) + "?page=2")
    assert names(second) == [*[f"w-{number:02}" for number in range(25, 30)], "zz-archived"]
    assert second.html.title.text.startswith("Page 2 – ")
    assert names(web.get(path(project) + "?page=last")) == names(second)
    for page_number in ("3", "0", "-1", "x", "1.0", "9" * 30):
        web.get(f"{path(project)}?page={page_number}", status=404)


def test_each_workspace_shows_its_requests_and_the_last_of_them(web: Browser) -> None:
    project = f.ProjectFactory()
    busy = f.WorkspaceFactory(project=project, name="busy")
    f.WorkspaceFactory(project=project, name="idle")
    f.JobRequestFactory(workspace=busy, status="succeeded", jobs_succeeded=1)
    last = f.JobRequestFactory(workspace=busy, status="failed", jobs_cancelled=2)
    page = web.get(path(project))
    rows = {row.th.text: row for row in page.html.select("tbody tr") if row.th.text in {"busy", "idle"}}
    busy_text = " ".join(rows["busy"].get_text(" ").split())
    assert f" 2 Cancelled {last.id} just now" in busy_text
    assert rows["busy"].find("a", string=str(last.id))["href"] == f"{path(project)}busy/{last.id}/"
    assert " 0 nothing yet" in " ".join(rows["idle"].get_text(" ").split())


def test_the_newest_requests_of_all_its_workspaces_are_shown(web: Browser) -> None:
    project = f.ProjectFactory()
    workspaces = f.WorkspaceFactory.create_batch(3, project=project)
    rows = [f.JobRequestFactory(workspace=workspaces[number % 3]) for number in range(9)]
    f.JobRequestFactory()
    page = web.get(path(project))
    shown = [tag["id"] for tag in page.html.select("tr[id^=request-]")]
    assert shown == [f"request-{row.id}" for row in reversed(rows)][:6]
    assert page.html.find("a", string="All job requests")["href"] == f"{path(project)}logs/"


def test_repositories_are_listed_by_whether_they_are_public(web: Browser) -> None:
    """Pages 14.1: of its workspaces, each once."""
    project = f.ProjectFactory()
    for name, fields in {
        "open": {"is_private": False},
        "closed": {"is_private": True},
        "gone": {"check_failure": MISSING},
        "unasked": {},
    }.items():
        repo = f.RepoFactory(url=f"https://github.com/lab/{name}", **fields)
        f.WorkspaceFactory.create_batch(2, project=project, repo=repo)
    f.WorkspaceFactory(repo=f.RepoFactory(url="https://github.com/lab/of-others", is_private=False))
    page = web.get(path(project))
    assert section(page, "public-repos") == "Public repositories 1 open"
    assert section(page, "private-repos").startswith("Private repositories 1 closed GitHub answers “404”")
    others = section(page, "other-repos")
    assert others.startswith("Other repositories 2 gone GitHub knows no such repository")
    assert "unasked GitHub has not been asked" in others


def test_buttons_are_shown_by_permission(web: Browser) -> None:
    project = f.ProjectFactory()

    def buttons() -> set[str]:
        title = web.get(path(project)).html.select_one(".title .actions")
        return {link["href"] for link in title.find_all("a", href=True)} if title else set()

    mine = {f"{path(project)}new-workspace/", f"{path(project)}edit/"}
    assert buttons() == set()
    web.sign_in(f.UserFactory(roles=["StaffAreaAdministrator"]))
    assert buttons() == set()
    web.sign_in(f.ProjectMembershipFactory(project=project, roles=["ProjectDeveloper"]).user)
    assert buttons() == mine
    web.sign_in(f.ProjectMembershipFactory(roles=["ProjectDeveloper"]).user)
    assert buttons() == set()


def test_a_member_without_the_role_is_told_which_one_and_who_gives_it(web: Browser) -> None:
    project = f.ProjectFactory()
    web.sign_in(f.ProjectMembershipFactory(project=project, roles=["ProjectCollaborator"]).user)
    button = web.get(path(project)).html.find(id="new-workspace")
    assert button["aria-disabled"] == "true"
    assert "href" not in button.attrs
    reason = button.find_next("p", id=button["aria-describedby"]).text
    assert "Project Developer" in reason
    assert "given by a" in reason


def test_the_status_is_shown_to_members(web: Browser) -> None:
    project = f.ProjectFactory(status="completed-and-awaiting", status_description="Sent to <b>a journal</b>")
    page = web.sign_in(f.ProjectMembershipFactory(project=project).user).get(path(project))
    assert "Status Completed, awaiting paper or report" in section(page, "about")
    assert "Sent to &lt;b&gt;a journal&lt;/b&gt;" in page
    stranger = web.sign_in(f.UserFactory(roles=["TechSupport"])).get(path(project))
    assert "awaiting" not in stranger
    assert "a journal" not in stranger


def test_the_purpose_is_linked_if_there_is_a_number(web: Browser) -> None:
    with_number = web.get(path(f.ProjectFactory(number="POS-2026-2001")))
    assert with_number.html.find("a", href="https://www.opensafely.org/project/POS-2026-2001/")
    assert "www.opensafely.org" not in web.get(path(f.ProjectFactory()))


def test_many_members_are_shown_on_request(web: Browser) -> None:
    project = f.ProjectFactory()
    for number in range(27):
        f.ProjectMembershipFactory(project=project, user__fullname=f"M {number:02}")
    page = web.get(path(project))
    assert section(page, "researchers").startswith("Researchers 27 M 00")
    assert "M 25" not in page
    everybody = web.get(path(project) + "?members=all")
    assert "M 26" in everybody


def test_an_internal_project_is_said_to_be_one(web: Browser) -> None:
    project = f.ProjectFactory(slug="opensafely-internal")
    assert "This is an internal project." in web.get(path(project))


def test_html_in_the_names_is_shown_as_text(web: Browser) -> None:
    evil = "<script>alert(1)</script>"
    project = f.ProjectFactory(name=f"P {evil}", org=f.OrgFactory(name=f"O {evil}"))
    workspace = f.WorkspaceFactory(
        project=project, branch=f"b{evil}", repo=f.RepoFactory(check_failure=f"F {evil}")
    )
    f.JobRequestFactory(workspace=workspace)
    f.ProjectMembershipFactory(project=project, user__fullname=f"N {evil}")
    page = web.get(path(project))
    assert evil not in page.text
    assert page.text.count("&lt;script&gt;alert(1)") >= 5


def test_the_number_of_statements_does_not_grow_with_requests(
    web: Browser, count_statements: Callable[[], Any]
) -> None:
    project = f.ProjectFactory()
    web.sign_in(f.ProjectMembershipFactory(project=project, roles=["ProjectDeveloper"]).user)
    numbers = []
    for more in (2, 18):
        for _ in range(more):
            f.JobRequestFactory(workspace=f.WorkspaceFactory(project=project), jobs_succeeded=1)
        with count_statements() as sent:
            web.get(path(project))
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12
