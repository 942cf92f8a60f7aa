"""The page of an organisation."""

from collections.abc import Callable
from typing import Any

from tests import factories as f
from tests.web.conftest import Browser


def rows(page: Any) -> list[list[str]]:
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"])]
        for row in page.html.select("tbody tr")
    ]


def test_everybody_sees_its_projects_by_name_with_their_sizes(web: Browser) -> None:
    org = f.OrgFactory(name="Northmere", description="Health <em>data</em>.")
    f.ProjectFactory(org=org, name="statins", number="7")
    big = f.ProjectFactory(org=org, name="Asthma")
    f.ProjectMembershipFactory.create_batch(2, project=big)
    f.WorkspaceFactory.create_batch(3, project=big)
    page = web.get(f"/{org.slug}/")
    assert "Health &lt;em&gt;data&lt;/em&gt;." in page
    assert [row[:4] for row in rows(page)] == [["Asthma", "–", "2", "3"], ["statins", "7", "0", "0"]]
    assert page.html.find("a", string="Asthma")["href"] == f"/{org.slug}/{big.slug}/"


def test_a_project_that_another_organisation_leads_says_so_and_links_to_its_own_place(web: Browser) -> None:
    partner = f.OrgFactory()
    project = f.ProjectFactory(other_orgs=[partner])
    page = web.get(f"/{partner.slug}/")
    assert f"led by {project.org.name}" in rows(page)[0][0]
    assert page.html.find("a", string=project.name)["href"] == f"/{project.org.slug}/{project.slug}/"


def test_who_belongs_to_it_is_not_public(web: Browser) -> None:
    membership = f.OrgMembershipFactory(user__fullname="Ann Alyst")
    assert "Ann Alyst" not in web.get(f"/{membership.org.slug}/")


def test_an_organisation_without_projects_says_so(web: Browser) -> None:
    assert "No projects yet" in web.get(f"/{f.OrgFactory().slug}/")


def test_an_unknown_organisation_is_a_404(web: Browser) -> None:
    web.get("/nobody/", status=404)


def test_its_first_address_leads_here(web: Browser) -> None:
    org = f.OrgFactory()
    assert web.get(f"/orgs/{org.slug}/?a=1", status=301).location.endswith(f"/{org.slug}/?a=1")


def test_the_number_of_statements_does_not_grow(web: Browser, count_statements: Callable[[], Any]) -> None:
    org = f.OrgFactory()
    numbers = []
    for more in (2, 18):
        f.ProjectFactory.create_batch(more, org=org)
        with count_statements() as sent:
            web.get(f"/{org.slug}/")
        numbers.append(len(sent))
    assert numbers[0] == numbers[1] <= 12


def test_projects_come_in_pages_of_25(web: Browser) -> None:
    org = f.OrgFactory()
    for number in range(27):
        f.ProjectFactory(org=org, name=f"Project {number:02}")
    page = web.get(f"/{org.slug}/")
    assert [row[0] for row in rows(page)] == [f"Project {number:02}" for number in range(25)]
    second = web.get(f"/{org.slug}/?page=2")
    assert [row[0] for row in rows(second)] == ["Project 25", "Project 26"]
    for number in ("3", "0", "x", "%00"):
        web.get(f"/{org.slug}/?page={number}", status=404)


def test_the_newest_requests_of_its_projects_are_shown(web: Browser) -> None:
    """Also those of projects that another organisation leads."""
    org = f.OrgFactory()
    mine = f.WorkspaceFactory(project=f.ProjectFactory(org=org))
    ours = f.WorkspaceFactory(project=f.ProjectFactory(other_orgs=[org]))
    made = [f.JobRequestFactory(workspace=each) for each in (mine, ours, mine, ours, mine, ours, mine, ours)]
    f.JobRequestFactory()
    page = web.get(f"/{org.slug}/")
    shown = [tag["id"] for tag in page.html.select("tr[id^=request-]")]
    assert shown == [f"request-{row.id}" for row in reversed(made)][:6]
    assert page.html.find("a", string="All job requests")["href"] == f"/{org.slug}/logs/"


def test_html_in_the_names_is_shown_as_text(web: Browser) -> None:
    evil = "<script>alert(1)</script>"
    org = f.OrgFactory(name=f"O {evil}", description=f"D {evil}")
    f.JobRequestFactory(workspace__project=f.ProjectFactory(name=f"P {evil}", org=org))
    page = web.get(f"/{org.slug}/")
    assert evil not in page.text
    assert page.text.count("&lt;script&gt;alert(1)") >= 3
