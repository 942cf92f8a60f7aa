"""Repositories in the staff area (spec: staff 10, 17.16, 17.42, 17.49)."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy.orm import Session

from jobserver.models import Repo, User, utcnow
from jobserver.queries.staff.repo_page import a_year_after
from tests import factories as f
from tests.web.conftest import Browser

REPOS = "/staff/repos/"


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(f.UserFactory(username="staff-1", fullname="Staff", roles=["StaffAreaAdministrator"]))


@pytest.fixture
def researcher(db: Session) -> User:
    """Who works with the repositories."""
    user: User = f.UserFactory(username="ada", fullname="Ada Hale", email="ada@example.com")
    return user


def made(name: str, **values: Any) -> Repo:
    """A repository of this name."""
    repo: Repo = f.RepoFactory(url=f"https://github.com/opensafely/{name}", **values)
    return repo


def page_of(repo: Repo) -> str:
    """The address of its page."""
    return f"{REPOS}{repo.owner}/{repo.name}/"


def names(page: Any) -> list[str]:
    """Names in the rows of the list."""
    return re.findall(r'href="/staff/repos/opensafely/([^/"]+)/"', page.text)


def ran(workspace: Any, at: datetime, **values: Any) -> None:
    """One job there, made and begun at this time."""
    request = f.JobRequestFactory(
        workspace=workspace,
        created_at=at - timedelta(seconds=9),
        started_at=at,
        completed_at=at + timedelta(hours=1),
        status="succeeded",
        jobs_succeeded=1,
        **values,
    )
    f.JobFactory(job_request=request, status="succeeded", created_at=at, started_at=at + timedelta(minutes=3))


def ready(researcher: User, name: str = "asthma", **values: Any) -> Repo:
    """A repository that a researcher has signed off."""
    signed = {"researcher_signed_off_at": utcnow(), "researcher_signed_off_by_id": researcher.id}
    return made(name, **signed, **values)


# The list


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["asthma", "diabetes", "frailty"]),
        ("q=BET", ["diabetes"]),
        ("q=opensafely/f", ["frailty"]),
        ("has_outputs=yes", ["asthma"]),
        ("has_outputs=no", ["diabetes", "frailty"]),
        ("has_outputs=no&has_outputs=yes", ["asthma", "diabetes", "frailty"]),
        ("privacy=private", ["asthma"]),
        ("privacy=public&privacy=unknown", ["diabetes", "frailty"]),
        ("sign_off=researcher", ["diabetes"]),
        ("sign_off=none&sign_off=internal", ["asthma", "frailty"]),
        ("orgs=one", ["asthma"]),
        ("orgs=one&orgs=two", ["asthma", "diabetes"]),
        ("orgs=one&has_outputs=no", []),
        ("sort=newest", ["frailty", "diabetes", "asthma"]),
    ],
)
def test_the_list_can_be_narrowed(
    staff: Browser, db: Session, researcher: User, query: str, found: list[str]
) -> None:
    asthma = made("asthma", has_github_outputs=True, is_private=True)
    diabetes = ready(researcher, "diabetes", is_private=False)
    made("frailty")
    one, two = f.OrgFactory(slug="one"), f.OrgFactory(slug="two")
    f.WorkspaceFactory(repo=asthma, project=f.ProjectFactory(org=one))
    f.WorkspaceFactory(repo=asthma, project=f.ProjectFactory(org=one))
    f.WorkspaceFactory(repo=diabetes, project=f.ProjectFactory(other_orgs=[two]))
    assert names(staff.get(f"{REPOS}?{query}")) == found


def test_options_say_how_many_there_are_and_odd_values_are_said(staff: Browser, db: Session) -> None:
    made("asthma", has_github_outputs=True, is_private=True)
    page = staff.get(REPOS)
    for words in ("Yes (1)", "No (0)", "Private (1)", "Unknown (0)", "Not signed off (1)"):
        assert words in page.text
    for odd in ("has_outputs=perhaps", "privacy=x", "sign_off=%27", "orgs=nowhere"):
        assert "listed here" in staff.get(f"{REPOS}?{odd}").text


def test_the_list_can_be_taken_away(staff: Browser, db: Session) -> None:
    made("asthma", has_github_outputs=True)
    lines = list(csv.reader(staff.get(f"{REPOS}?format=csv").text.splitlines()))
    assert lines[1][:4] == ["https://github.com/opensafely/asthma", "unknown", "yes", "none"]


# The page


def test_the_page_shows_what_is_stored_and_never_waits_for_github(
    staff: Browser, db: Session, researcher: User
) -> None:
    repo = made(
        "asthma",
        is_private=True,
        topics=["research", "github-releases"],
        has_github_outputs=True,
        made_on_github_at=datetime(2021, 5, 4, tzinfo=UTC),
        checked_at=utcnow(),
    )
    project = f.ProjectFactory(name="Asthma reviews", number="12")
    workspace = f.WorkspaceFactory(repo=repo, name="asthma-main", project=project, created_by=researcher)
    f.WorkspaceFactory(
        repo=repo,
        name="asthma-old",
        project=project,
        created_by=researcher,
        is_archived=True,
        signed_off_at=utcnow(),
        signed_off_by_id=researcher.id,
    )
    other = f.UserFactory(fullname="Bo Runner")
    ran(workspace, utcnow() - timedelta(days=40), created_by=other)
    page = staff.get(page_of(repo)).text
    for words in (
        "Private",
        "4 May 2021",
        "github-releases",
        "Asthma reviews",
        "asthma-main",
        "Archived",
        "1 of 2",
        "mailto:ada@example.com",
        "Bo Runner",
        "(made it)",
    ):
        assert words in page
    assert page.count("mailto:ada@example.com") == 1


def test_what_github_has_not_said_is_unknown(staff: Browser, db: Session) -> None:
    page = staff.get(page_of(made("asthma"))).text
    assert "Not known yet" in page
    assert page.count("Unknown") == 2
    assert "GitHub has not been asked" in page
    away = made("away", check_failure="GitHub could not be reached.", checked_at=utcnow(), is_private=False)
    page = staff.get(page_of(away)).text
    assert "GitHub could not be reached." in page
    assert "Public" in page


def test_runs_are_those_of_its_own_workspaces_and_of_its_projects_beside_them(
    staff: Browser, db: Session
) -> None:
    repo, project = made("asthma", is_private=True), f.ProjectFactory()
    mine = f.WorkspaceFactory(repo=repo, project=project)
    sibling = f.WorkspaceFactory(project=project)
    ran(sibling, datetime(2020, 1, 2, 12, tzinfo=UTC))
    ran(mine, datetime(2024, 2, 29, 12, tzinfo=UTC))
    ran(mine, datetime(2024, 7, 5, 12, tzinfo=UTC))
    ran(sibling, datetime(2025, 8, 6, 12, tzinfo=UTC))
    text_ = re.sub(r"<[^>]+>", "", staff.get(page_of(repo)).text)
    for label, day in (
        ("First here", "29 Feb 2024"),
        ("Last here", "5 Jul 2024"),
        ("First of projects", "2 Jan 2020"),
        ("Last of projects", "6 Aug 2025"),
    ):
        assert f"{label}{day}" in text_
    # Calendar months, whether or not it is signed off.
    assert "had to be public by 28 Feb 2025" in text_
    assert "over" in text_


def test_a_year_is_twelve_calendar_months() -> None:
    assert a_year_after(datetime(2023, 3, 1, 5, tzinfo=UTC)) == datetime(2024, 3, 1, 5, tzinfo=UTC)
    assert a_year_after(datetime(2024, 2, 29, tzinfo=UTC)) == datetime(2025, 2, 28, tzinfo=UTC)


def test_without_a_run_there_is_no_limit(staff: Browser, db: Session) -> None:
    repo = made("asthma")
    f.JobRequestFactory(workspace=f.WorkspaceFactory(repo=repo))
    assert "No job of its own workspaces has run yet" in staff.get(page_of(repo)).text


def test_no_number_of_workspaces_costs_more_statements(
    staff: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    repo = made("asthma")
    ran(f.WorkspaceFactory(repo=repo), utcnow())
    with count_statements() as few:
        staff.get(page_of(repo))
    for _ in range(12):
        ran(f.WorkspaceFactory(repo=repo), utcnow())
    with count_statements() as many:
        staff.get(page_of(repo))
    assert len(few) == len(many) <= 12


@pytest.mark.parametrize("name", ["OPENSAFELY/Asthma", "opensafely/asthma"])
def test_capitals_do_not_matter(staff: Browser, db: Session, name: str) -> None:
    made("asthma")
    assert "asthma" in staff.get(f"{REPOS}{name}/").text


@pytest.mark.parametrize("name", ["opensafely", "opensafely/none", "opensafely/asthma/x", "a%27b/c"])
def test_what_is_not_there_is_not_found(staff: Browser, db: Session, name: str) -> None:
    made("asthma")
    staff.get(f"{REPOS}{name}/", status=404)


def test_todays_addresses_lead_on(staff: Browser, db: Session) -> None:
    repo = made("asthma")
    twice = quote(quote(repo.url, safe=""), safe="")
    answer = staff.get(f"{REPOS}{twice}/", status=301)
    assert answer.location.endswith(page_of(repo))
    assert "asthma" in answer.follow().text
