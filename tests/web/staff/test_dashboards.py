"""Dashboards: every column counted in SQL, in a handful of statements (spec: staff 5, 17.46 to 17.49)."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from jobserver.models import Project, Repo, User, Workspace, utcnow
from tests import factories as f
from tests.web.conftest import Browser

DASHBOARDS = "/staff/dashboards/"
NAMES = ("copiloting", "project", "repos", "repos-with-multiple-projects")


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(f.UserFactory(username="staff-1", fullname="Staff", roles=["StaffAreaAdministrator"]))


def table(page: Any) -> list[list[str]]:
    """The words of each cell of each row."""
    found = re.findall(r'<tr role="row">(.*?)</tr>', page.text, re.DOTALL)[1:]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found]
    return [[re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cell)).strip() for cell in row] for row in cells]


def rows(staff: Browser, name: str, query: str = "") -> list[list[str]]:
    """The rows of a dashboard."""
    return table(staff.get(f"{DASHBOARDS}{name}/?{query}"))


def names(staff: Browser, name: str, query: str = "") -> list[str]:
    """The projects of a dashboard."""
    page = staff.get(f"{DASHBOARDS}{name}/?{query}").text
    return re.findall(r'href="/staff/projects/[^"/]+/">([^<]+)<', page)


def exported(staff: Browser, name: str) -> list[dict[str, str]]:
    """The same as a file."""
    answer = staff.get(f"{DASHBOARDS}{name}/?format=csv")
    return list(csv.DictReader(answer.text.splitlines()))


def ran(workspace: Workspace, made: datetime, began: datetime | None = None) -> None:
    """One request with one job there, made and begun at these times."""
    request = f.JobRequestFactory(
        workspace=workspace, created_at=made, started_at=began, status="running", jobs_running=1
    )
    f.JobFactory(job_request=request, created_at=made, started_at=began, status="running")


def day(text: str) -> datetime:
    """Noon of a day."""
    return datetime.fromisoformat(f"{text}T12:00").replace(tzinfo=UTC)


def study(name: str = "asthma", **values: Any) -> Repo:
    """A repository."""
    repo: Repo = f.RepoFactory(url=f"https://github.com/opensafely/{name}", **values)
    return repo


@pytest.fixture
def project(db: Session) -> Project:
    """A project of two workspaces with runs and released files, led by one organisation of two."""
    copilot: User = f.UserFactory(username="cop", fullname="Cora Pilot")
    made: Project = f.ProjectFactory(
        name="Asthma reviews",
        number="12",
        org=f.OrgFactory(name="Zeta"),
        other_orgs=[f.OrgFactory(name="alpha")],
        copilot=copilot,
    )
    one = f.WorkspaceFactory(project=made, name="one", repo=study("asthma", is_private=True))
    two = f.WorkspaceFactory(project=made, name="two", repo=study("frailty", is_private=False))
    f.JobRequestFactory(workspace=two)
    ran(one, day("2021-03-05"), day("2021-03-07"))
    ran(one, day("2022-04-06"))
    ran(two, day("2021-03-06"), day("2023-05-08"))
    release = f.ReleaseFactory(workspace=two)
    by = release.created_by
    there = {"path": "somewhere", "uploaded_at": utcnow(), "uploaded_by_id": by.id}
    gone = {"deleted_at": utcnow(), "deleted_by_id": by.id, "deleted_reason": "a name in it"}
    for more in ({}, {}, gone):
        f.ReleaseFileFactory(release=release, **there, **more)
    f.ReleaseFileFactory(release=release)
    return made


def test_the_four_are_listed(staff: Browser) -> None:
    page = staff.get(DASHBOARDS)
    for name in NAMES:
        assert f'href="{DASHBOARDS}{name}/"' in page.text
        staff.get(f"{DASHBOARDS}{name}/")
    staff.get(f"{DASHBOARDS}none/", status=404)


@pytest.mark.parametrize("name", NAMES)
def test_the_policy_for_scripts_holds_there_too(staff: Browser, name: str) -> None:
    policy = staff.get(f"{DASHBOARDS}{name}/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy


def test_copiloting_counts_every_column(staff: Browser, project: Project) -> None:
    (row,) = rows(staff, "copiloting")
    assert row == [
        "Asthma reviews 12 Zeta , alpha",
        "Cora Pilot",
        "Ongoing",
        "asthma Private frailty Public",
        "2",
        "4",
        "5 Mar 2021 8 May 2023",
        "2",
    ]
    (line,) = exported(staff, "copiloting")
    assert line["organisations"] == "Zeta, alpha"
    assert line["co-pilot"] == "Cora Pilot (cop)"
    assert line["repositories"] == (
        "https://github.com/opensafely/asthma (private), https://github.com/opensafely/frailty (public)"
    )
    assert line["last run"].startswith("2023-05-08T12:00")
    assert line["files released"] == "2"


def test_a_project_of_which_nothing_is_known_is_shown_without(staff: Browser, db: Session) -> None:
    f.WorkspaceFactory(project=f.ProjectFactory(name="New"), repo=study("new"))
    (row,) = rows(staff, "copiloting")
    assert row[1:] == ["Unknown", "Ongoing", "new Not known yet", "1", "0", "–", "0"]


def test_projects_of_organisations_without_copilots_are_left_out(staff: Browser, project: Project) -> None:
    lead, partner = f.OrgFactory(has_no_copilots=True), f.OrgFactory(has_no_copilots=True)
    f.ProjectFactory(name="Led by", org=lead)
    f.ProjectFactory(name="With", other_orgs=[partner])
    assert names(staff, "copiloting") == ["Asthma reviews"]
    assert names(staff, "project") == ["Asthma reviews", "Led by", "With"]


def test_projects_count_every_column(staff: Browser, project: Project) -> None:
    (row,) = rows(staff, "project")
    assert row == ["Asthma reviews 12 Zeta , alpha", "Cora Pilot", "2", "4", "5 Mar 2021", "2"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Asthma reviews", "beta", "Gamma"]),
        ("sort=number", ["Asthma reviews", "Gamma", "beta"]),
        ("q=cora", ["Asthma reviews"]),
        ("q=7", ["Gamma"]),
        ("status=retired", ["Gamma"]),
        ("copilot=cop&status=ongoing", ["Asthma reviews"]),
        ("repo=private", ["Asthma reviews"]),
        ("repo=unknown&repo=public", ["Asthma reviews", "Gamma"]),
    ],
)
def test_dashboards_are_narrowed_and_sorted_by_their_address(
    staff: Browser, project: Project, query: str, found: list[str]
) -> None:
    f.ProjectFactory(name="beta")
    gamma = f.ProjectFactory(name="Gamma", number="7", status="retired")
    f.WorkspaceFactory(project=gamma, repo=study("gamma"))
    assert names(staff, "copiloting", query) == found


def test_a_dashboard_has_pages(staff: Browser, db: Session) -> None:
    for number in range(30):
        f.ProjectFactory(name=f"Project {number:02}")
    assert len(rows(staff, "project")) == 25
    assert len(rows(staff, "project", "page=last")) == 5
    assert len(exported(staff, "project")) == 30


def old(name: str, days: int, **values: Any) -> Workspace:
    """A workspace of a private repository in which a job ran so many days ago."""
    repo = study(name, **{"is_private": True, **values})
    workspace: Workspace = f.WorkspaceFactory(
        repo=repo, name=f"{name}-main", created_by=f.UserFactory(fullname=f"Maker of {name}")
    )
    ran(workspace, utcnow() - timedelta(days=days))
    return workspace


def test_private_repositories_are_listed_by_urgency_with_their_limit(staff: Browser, db: Session) -> None:
    old("nearly", 345)
    late = old("late", 500, has_github_outputs=True, made_on_github_at=day("2020-02-03"))
    f.WorkspaceFactory(repo=late.repo, name="a-first", project=late.project, created_by=late.created_by)
    old("young", 300)
    old("public", 500, is_private=False)
    old("unknown", 500, is_private=None)
    old("tools", 500, topics=["non-research"])
    f.WorkspaceFactory(repo=study("idle", is_private=True))
    first, second = rows(staff, "repos")
    assert first[0] == "late opensafely Created 3 Feb 2020"
    assert "over" in first[1]
    assert first[4] == "a-first late-main"
    assert first[5:] == ["Maker of late", "Yes", "0 of 2"]
    assert second[0] == "nearly opensafely Created –"
    assert re.search(r"\d+ days left", second[1])
    lines = exported(staff, "repos")
    limit = datetime.fromisoformat(lines[0]["public by"])
    start = datetime.fromisoformat(lines[0]["first run"])
    assert (limit.year, limit.day) == (start.year + 1, start.day)


def test_private_repositories_have_pages_like_any_other_list(staff: Browser, db: Session) -> None:
    for number in range(55):
        old(f"study-{number:02}", 600 - number)
    path, met = f"{DASHBOARDS}repos/", []
    page = staff.get(path)
    while True:
        met.append([row[0].split()[0] for row in table(page)])
        on = re.search(r'href="(\?[^"]*)"[^>]*>Next<', page.text)
        if on is None:
            break
        page = staff.get(path + on[1].replace("&amp;", "&"))
    assert [len(each) for each in met] == [25, 25, 5]
    assert [name for each in met for name in each] == [f"study-{number:02}" for number in range(55)]
    assert table(staff.get(f"{path}?page=last")) == table(page)
    assert table(staff.get(f"{path}?page=2"))[0][0] == "study-25 opensafely Created –"
    back = re.search(r'href="(\?[^"]*)"[^>]*>Previous<', page.text)
    assert back is not None
    assert len(table(staff.get(path + back[1].replace("&amp;", "&")))) == 25
    for nonsense in ("page=4", "after=999999", "before=999999", "page=x"):
        staff.get(f"{path}?{nonsense}", status=404)


def test_jobs_of_sibling_repositories_do_not_count_but_are_shown(staff: Browser, db: Session) -> None:
    mine = old("mine", 10)
    sibling = f.WorkspaceFactory(project=mine.project, repo=study("sibling", is_private=False))
    ran(sibling, utcnow() - timedelta(days=900))
    assert rows(staff, "repos") == []
    ran(f.WorkspaceFactory(repo=mine.repo, project=mine.project), utcnow() - timedelta(days=340))
    (row,) = rows(staff, "repos")
    assert "projects:" in row[2]


def test_workspaces_of_the_project_for_tests_do_not_count(staff: Browser, db: Session) -> None:
    tried = old("tried", 500)
    tried.project.slug = "opensafely-testing"
    db.commit()
    assert rows(staff, "repos") == []
    mine = f.WorkspaceFactory(repo=tried.repo, name="z-mine", created_by=f.UserFactory(fullname="Ann"))
    ran(mine, utcnow() - timedelta(days=340))
    old("elsewhere", 345).repo.url = "https://github.com/elsewhere/study"
    db.commit()
    first, second = rows(staff, "repos")
    assert first[0] == "study elsewhere Created –"
    assert second[0] == "tried opensafely Created –"
    assert re.search(r"\d+ days left", second[1])
    assert second[5] == "Ann"


def test_signed_off_ones_can_be_told_apart(staff: Browser, db: Session) -> None:
    person = f.UserFactory()
    signed = {"researcher_signed_off_at": utcnow(), "researcher_signed_off_by_id": person.id}
    old("signed", 400, **signed)
    old("unsigned", 400)
    assert [row[0] for row in rows(staff, "repos", "sign_off=researcher")] == ["signed opensafely Created –"]
    assert [row[0] for row in rows(staff, "repos", "sign_off=none")] == ["unsigned opensafely Created –"]
    assert len(rows(staff, "repos", "q=signed")) == 2


def test_repositories_of_several_projects(staff: Browser, db: Session) -> None:
    shared, lonely = study("shared", has_github_outputs=True), study("lonely")
    for name in ("b", "a", "c"):
        project = f.ProjectFactory(name=f"Project {name}")
        f.WorkspaceFactory(repo=shared, name=f"w-{name}", project=project)
    own = f.ProjectFactory()
    f.WorkspaceFactory(repo=lonely, project=own)
    f.WorkspaceFactory(repo=lonely, project=own)
    assert rows(staff, "repos-with-multiple-projects") == [
        ["shared opensafely", "Project a Project b Project c", "w-a w-b w-c", "Yes"]
    ]
    assert rows(staff, "repos-with-multiple-projects", "has_outputs=no") == []


def test_long_lists_in_a_cell_are_closed_until_asked_for(staff: Browser, db: Session) -> None:
    shared = study("shared")
    for name in "abcde":
        f.WorkspaceFactory(repo=shared, name=f"w-{name}", project=f.ProjectFactory(name=f"Project {name}"))
    (row,) = rows(staff, "repos-with-multiple-projects")
    assert row[1].startswith("5 projects Project a")


@pytest.mark.parametrize("name", NAMES)
def test_no_number_of_rows_costs_more_statements(
    staff: Browser, db: Session, name: str, count_statements: Callable[[], Any]
) -> None:
    def more(number: int) -> None:
        workspace = old(f"study-{number}", 400 + number)
        f.WorkspaceFactory(repo=workspace.repo)

    more(0)
    with count_statements() as few:
        staff.get(f"{DASHBOARDS}{name}/")
    for number in range(1, 14):
        more(number)
    with count_statements() as many:
        staff.get(f"{DASHBOARDS}{name}/")
    assert len(few) == len(many) <= 12


@pytest.mark.parametrize("name", NAMES)
def test_odd_values_break_nothing(staff: Browser, db: Session, project: Project, name: str) -> None:
    for odd in ("sort=x", "orgs=nowhere", "status=x", "repo=x", "sign_off=x", "q=%25", "copilot=%27"):
        staff.get(f"{DASHBOARDS}{name}/?{odd}", status=200)
