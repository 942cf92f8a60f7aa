"""The page of a project."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from jobserver.models import utcnow
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
