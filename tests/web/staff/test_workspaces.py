"""Workspaces in the staff area (spec: staff 14, 17.11, 17.33)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, Redirect, User, Workspace
from tests import factories as f
from tests.web.conftest import Browser

WORKSPACES = "/staff/workspaces/"


@pytest.fixture
def admin(db: Session) -> User:
    return f.UserFactory(username="staff-1", fullname="Sam Staff", roles=["StaffAreaAdministrator"])


@pytest.fixture
def staff(web: Browser, admin: User) -> Browser:
    """A Staff Area Administrator's browser."""
    return web.sign_in(admin)


@pytest.fixture
def workspace(db: Session) -> Workspace:
    org = f.OrgFactory(slug="alpha", name="Alpha")
    project = f.ProjectFactory(org=org, slug="one", name="Project One", number="11")
    return f.WorkspaceFactory(project=project, name="uptake", purpose="See https://example.com/ now")


def events(db: Session) -> list[AuditableEvent]:
    return list(db.scalars(select(AuditableEvent).order_by(AuditableEvent.id)))


def names(page: Any) -> list[str]:
    return [row.a.text for row in page.html.select("#content tbody th")]


def edit_form(staff: Browser, name: str = "uptake") -> dict[str, str]:
    """What the edit page would send unchanged."""
    form = staff.get(f"{WORKSPACES}{name}/edit/").html.select_one("#content form")
    sent = {name: form.select_one(f"[name={name}]").get("value", "") for name in ("project", "version")} | {
        name: form.select_one(f"[name={name}]").text.strip() for name in ("purpose", "reason")
    }
    if form.select_one("[name=is_archived]").has_attr("checked"):
        sent["is_archived"] = "y"
    return sent


def test_the_list_is_searched_and_filtered_by_all_at_once(
    staff: Browser, db: Session, workspace: Workspace
) -> None:
    other = f.WorkspaceFactory(
        name="Beta", is_archived=True, repo=f.RepoFactory(url="https://github.com/x/zebra")
    )
    assert names(staff.get(WORKSPACES)) == ["Beta", "uptake"]
    assert names(staff.get(f"{WORKSPACES}?q=zebra")) == ["Beta"]
    assert names(staff.get(f"{WORKSPACES}?orgs=alpha")) == ["uptake"]
    assert names(staff.get(f"{WORKSPACES}?orgs=alpha&orgs={other.project.org.slug}")) == ["Beta", "uptake"]
    assert names(staff.get(f"{WORKSPACES}?projects=one")) == ["uptake"]
    assert names(staff.get(f"{WORKSPACES}?projects=11&projects={other.project.slug}")) == ["Beta", "uptake"]
    assert names(staff.get(f"{WORKSPACES}?state=archived")) == ["Beta"]
    assert names(staff.get(f"{WORKSPACES}?state=archived&orgs=alpha")) == []
    assert "uptake" in staff.get(f"{WORKSPACES}?format=csv&projects=one").text


def test_the_list_costs_the_same_however_long_it_is(
    staff: Browser, db: Session, count_statements: Callable[[], Any]
) -> None:
    def cost() -> int:
        with count_statements() as statements:
            staff.get(WORKSPACES)
        return len(statements)

    f.WorkspaceFactory()
    few = cost()
    for _ in range(30):
        f.WorkspaceFactory()
    assert cost() <= min(few + 1, 12)


def test_its_page_says_what_it_is(
    staff: Browser, db: Session, workspace: Workspace, count_statements: Callable[[], Any]
) -> None:
    for _ in range(12):
        f.JobRequestFactory(workspace=workspace)
    with count_statements() as statements:
        page = staff.get(f"{WORKSPACES}uptake/")
    assert len(statements) <= 12
    assert '<a href="https://example.com/" rel="nofollow">' in page.text.replace(' noopener"', '"')
    for link in (
        "/staff/projects/one/",
        "/staff/orgs/alpha/",
        "/alpha/one/uptake/",
        f"{WORKSPACES}uptake/edit/",
    ):
        assert f'href="{link}"' in page.text
    assert "/staff/job-requests/?workspace=uptake" in page.text
    assert len(page.html.select("#content table tbody tr")) == 10
    staff.get(f"{WORKSPACES}nowhere/", status=404)


def test_moving_leaves_the_old_address_behind_and_says_who_and_why(
    staff: Browser, db: Session, workspace: Workspace, admin: User
) -> None:
    there = f.ProjectFactory(slug="two", name="Project Two")
    sent = edit_form(staff) | {"project": "two", "reason": "It was in the wrong place."}
    staff.submit(f"{WORKSPACES}uptake/edit/", sent, status=303).follow(status=200)
    db.refresh(workspace)
    assert (workspace.project_id, workspace.updated_by_id) == (there.id, admin.id)
    location = staff.get("/alpha/one/uptake/logs/?a=1", status=302).location
    assert location.endswith(f"/{there.org.slug}/two/uptake/logs/?a=1")
    moved, made = events(db)
    assert (moved.type, moved.reason, moved.created_by) == (
        "workspace_moved",
        "It was in the wrong place.",
        "staff-1",
    )
    assert moved.changes == {"project_id": ["11 - Project One", "Project Two"]}
    assert (moved.target_label, moved.parent_id) == ("uptake", str(there.id))
    assert made.type == "redirect_created"


def test_moving_there_and_back_leaves_no_loop(staff: Browser, db: Session, workspace: Workspace) -> None:
    """17.11."""
    two = f.ProjectFactory(slug="two")
    for project in ("two", "11"):
        staff.submit(f"{WORKSPACES}uptake/edit/", edit_form(staff) | {"project": project}, status=303)
    staff.get("/alpha/one/uptake/", status=200)
    assert staff.get(f"/{two.org.slug}/two/uptake/", status=302).location.endswith("/alpha/one/uptake/")
    live = db.scalars(select(Redirect.old_url).where(Redirect.deleted_at.is_(None))).all()
    assert live == [f"/{two.org.slug}/two/uptake/"]


def test_purpose_and_archiving_are_one_event_of_what_differs(
    staff: Browser, db: Session, workspace: Workspace, admin: User
) -> None:
    """17.33."""
    sent = edit_form(staff) | {"purpose": "New", "is_archived": "y"}
    staff.submit(f"{WORKSPACES}uptake/edit/", sent, status=303)
    (event,) = events(db)
    assert event.type == "workspace_updated"
    assert event.changes == {
        "is_archived": [False, True],
        "purpose": ["See https://example.com/ now", "New"],
    }
    db.refresh(workspace)
    assert workspace.updated_by_id == admin.id
    again = staff.submit(f"{WORKSPACES}uptake/edit/", edit_form(staff), status=303).follow()
    assert "Nothing was changed." in again.text
    assert len(events(db)) == 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"project": ""}, "Enter the project that the workspace belongs to."),
        ({"project": "nowhere"}, "No project has this slug or number."),
        ({"project": "x" * 256}, "Shorten this to 255 characters or fewer."),
        ({"project": "a\x00b"}, "Use no control characters."),
        ({"project": "999999"}, "No project has this slug or number."),
        ({"project": "<script>alert(1)</script>"}, "No project has this slug or number."),
        ({"purpose": "x" * 5001}, "Shorten this to 5,000 characters or fewer."),
        ({"reason": "x" * 501}, "Shorten this to 500 characters or fewer."),
    ],
)
def test_what_will_not_do_is_said_beside_its_field_and_kept(
    staff: Browser, db: Session, workspace: Workspace, changes: dict[str, str], fault: str
) -> None:
    page = staff.submit(f"{WORKSPACES}uptake/edit/", edit_form(staff) | changes, status=200)
    assert fault in page.html.select_one(".field.bad .err").text
    assert "<script>alert" not in page.text
    db.refresh(workspace)
    assert workspace.project.slug == "one"
    assert events(db) == []


def test_words_of_a_projects_name_find_those_that_could_be_meant(
    staff: Browser, db: Session, workspace: Workspace
) -> None:
    f.ProjectFactory(slug="vaccines-a", name="Vaccines in adults")
    f.ProjectFactory(slug="vaccines-b", name="Vaccines in babies")
    page = staff.submit(
        f"{WORKSPACES}uptake/edit/", edit_form(staff) | {"project": "vaccines in"}, status=200
    )
    assert "These are like it" in page.text
    assert [
        item.select_one(".mono").text
        for item in page.html.select("#alike ~ ul li, .panel .list li")
        if item.select_one(".mono")
    ] == ["vaccines-a", "vaccines-b"]
    assert page.html.select_one("[name=project]")["value"] == "vaccines in"


def test_an_empty_form_is_a_fault_and_no_error(staff: Browser, db: Session, workspace: Workspace) -> None:
    staff.submit(f"{WORKSPACES}uptake/edit/", {}, status=200)
    assert events(db) == []


def test_the_second_of_two_editors_is_told_and_sees_both(
    staff: Browser, db: Session, workspace: Workspace
) -> None:
    f.ProjectFactory(slug="two")
    mine, theirs = edit_form(staff), edit_form(staff)
    staff.submit(f"{WORKSPACES}uptake/edit/", theirs | {"project": "two"}, status=303)
    page = staff.submit(f"{WORKSPACES}uptake/edit/", mine | {"purpose": "mine"}, status=200)
    assert "Sam Staff has changed this since you opened this page. Nothing was saved." in page.text
    both = page.html.select_one("#conflict").parent.parent.text
    assert "two" in both
    assert "mine" in both
    db.refresh(workspace)
    assert workspace.purpose != "mine"
    sent = mine | {
        "project": "two",
        "purpose": "both",
        "version": page.html.select_one("[name=version]")["value"],
    }
    staff.submit(f"{WORKSPACES}uptake/edit/", sent, status=303)
    db.refresh(workspace)
    assert workspace.purpose == "both"


def test_an_auditor_sees_it_and_no_button(web: Browser, db: Session, workspace: Workspace) -> None:
    page = web.sign_in(f.UserFactory(roles=["Auditor"])).get(f"{WORKSPACES}uptake/")
    assert "uptake" in page.text
    assert "/edit/" not in page.text
