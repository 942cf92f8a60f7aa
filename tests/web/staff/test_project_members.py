"""Members of projects, as staff look after them (spec: staff 8.7)."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import memberships as actions
from jobserver.models import AuditableEvent, Project, ProjectMembership, User, utcnow
from jobserver.templating.times import end_of_day
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.staff.test_project_edit import fields

HERE = "/staff/projects/asthma/"
ADD = f"{HERE}add-member/"


@pytest.fixture
def project(db: Session) -> Project:
    """A project."""
    made: Project = f.ProjectFactory(name="Asthma", slug="asthma")
    return made


@pytest.fixture
def staff(web: Browser, db: Session) -> Browser:
    """The browser of somebody who looks after members."""
    roles = ["StaffAreaAdministrator", "TechSupport"]
    return web.sign_in(f.UserFactory(username="staff-1", fullname="Sam Staff", roles=roles))


@pytest.fixture
def membership(project: Project) -> ProjectMembership:
    """Ann, a developer."""
    ann = f.UserFactory(username="ann", fullname="Ann Alyst", email="ann@example.com")
    made: ProjectMembership = f.ProjectMembershipFactory(
        project=project, user=ann, roles=["ProjectDeveloper"]
    )
    return made


def members(db: Session, project: Project) -> dict[str, list[str]]:
    """Who belongs to the project, with their roles."""
    db.commit()
    db.expire_all()
    rows = db.scalars(select(ProjectMembership).where(ProjectMembership.project_id == project.id))
    return {db.get_one(User, row.user_id).username: row.roles for row in rows}


def events(db: Session) -> list[tuple[str, str, str, str, str]]:
    db.commit()
    rows = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))
    return [(each.type, each.target_user, each.old, each.new, each.created_by) for each in rows]


def place(membership: ProjectMembership, verb: str = "edit") -> str:
    return f"{HERE}members/{membership.id}/{verb}/"


def test_several_people_become_members_at_once(staff: Browser, db: Session, project: Project) -> None:
    for name in ("ann", "Bob", "cem"):
        f.UserFactory(username=name)
    day = (utcnow() + timedelta(days=30)).date()
    sent = [
        ("users", "ann\r\n BOB, cem;ann"),
        ("roles", "ProjectDeveloper"),
        ("roles", "ProjectCollaborator"),
        ("last_day", day.isoformat()),
    ]
    answer = staff.submit(ADD, sent, status=303)
    assert answer.location.endswith(HERE)
    assert "Added ann, Bob, cem to Asthma." in answer.follow()
    both = ["ProjectCollaborator", "ProjectDeveloper"]
    assert members(db, project) == {"ann": both, "Bob": both, "cem": both}
    ends = set(db.scalars(select(ProjectMembership.ends_at)))
    assert ends == {end_of_day(day)}
    text = ",".join(both)
    assert events(db) == [
        each
        for name in ("ann", "Bob", "cem")
        for each in (
            ("project_member_added", name, "", "", "staff-1"),
            ("project_member_updated_roles", name, "", text, "staff-1"),
        )
    ]
    added = db.scalars(select(AuditableEvent).where(AuditableEvent.type == "project_member_added")).first()
    assert added is not None
    assert added.changes == {"last_day": [None, day.isoformat()]}


def test_somebody_without_roles_is_a_member_with_one_event(
    staff: Browser, db: Session, project: Project
) -> None:
    f.UserFactory(username="ann")
    staff.submit(ADD, {"users": "ann"}, status=303)
    assert members(db, project) == {"ann": []}
    assert [each[0] for each in events(db)] == ["project_member_added"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([], "Enter the username of at least one person."),
        ([("users", " ,; \r\n")], "Enter the username"),
        ([("users", "bob nobody")], "Nobody has this username: nobody."),
        ([("users", "bob ann")], "Members of the project already: ann."),
        ([("users", "bob closed")], "This account is disabled: closed."),
        ([("users", "bob"), ("roles", "OutputChecker")], "Choose among those listed here."),
        ([("users", "bob"), ("roles", "jobserver.authorization.roles.ProjectDeveloper")], "Choose among"),
        ([("users", "bob"), ("last_day", "tomorrow")], "Enter a day as year-month-day"),
        ([("users", "bob"), ("last_day", "2020-01-01")], "Choose today or a later day."),
        ([("users", "bob"), ("last_day", "9999-12-31")], "Enter a day"),
        ([("users", " ".join(f"u{number}" for number in range(101)))], "Enter at most 100 usernames"),
        ([("users", "x" * 5_000)], "Nobody has this username"),
        ([("users", "b\0\x01")], "Nobody has this username"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_added(
    staff: Browser, db: Session, project: Project, membership: ProjectMembership, sent: Any, words: str
) -> None:
    f.UserFactory(username="bob")
    f.UserFactory(username="closed", disabled_at=utcnow(), disabled_by_id=membership.user_id)
    page = staff.submit(ADD, sent, status=200)
    assert words in page.html.select_one(".error-summary").text
    assert list(members(db, project)) == ["ann"]
    assert events(db) == []


def test_a_membership_that_has_ended_begins_anew(
    staff: Browser, db: Session, project: Project, membership: ProjectMembership
) -> None:
    membership.ends_at = utcnow() - timedelta(days=1)
    db.commit()
    assert "ann" not in staff.get(ADD).html.find("main").text
    staff.submit(ADD, {"users": "ann", "roles": "ProjectCollaborator"}, status=303)
    assert members(db, project) == {"ann": ["ProjectCollaborator"]}
    assert [each[0] for each in events(db)] == [
        *("project_member_updated_roles", "project_member_removed"),
        *("project_member_added", "project_member_updated_roles"),
    ]


def test_roles_and_the_last_day_are_changed(
    staff: Browser, db: Session, project: Project, membership: ProjectMembership
) -> None:
    f.GithubIdentityFactory(user=membership.user, login="ann-on-github")
    page = staff.get(f"{place(membership)}?next={ADD}")
    assert "ann@example.com" in page
    assert "ann-on-github" in page
    day = (utcnow() + timedelta(days=9)).date().isoformat()
    answer = staff.submit(
        place(membership), fields(page, roles=["ProjectCollaborator"], last_day=day), status=303
    )
    assert answer.location.endswith(ADD)
    assert members(db, project) == {"ann": ["ProjectCollaborator"]}
    assert events(db) == [
        ("project_member_updated_roles", "ann", "ProjectDeveloper", "ProjectCollaborator", "staff-1"),
        ("project_member_updated", "ann", "", "", "staff-1"),
    ]
    last = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id.desc())).first()
    assert last is not None
    assert last.changes == {"last_day": [None, day]}


def test_nothing_different_records_nothing(
    staff: Browser, db: Session, project: Project, membership: ProjectMembership
) -> None:
    membership.ends_at = end_of_day((utcnow() + timedelta(days=9)).date())
    db.commit()
    answer = staff.submit(place(membership), fields(staff.get(place(membership))), status=303)
    assert "Nothing was changed." in answer.follow()
    assert events(db) == []


@pytest.mark.parametrize(
    "sent", [{"roles": ["OutputChecker"]}, {"last_day": "x"}, {"last_day": "2020-01-01"}]
)
def test_a_forged_role_or_day_changes_nothing(
    staff: Browser, db: Session, project: Project, membership: ProjectMembership, sent: dict[str, Any]
) -> None:
    page = staff.submit(place(membership), fields(staff.get(place(membership)), **sent), status=200)
    assert page.html.select_one(".error-summary")
    assert members(db, project) == {"ann": ["ProjectDeveloper"]}
    assert events(db) == []


def test_the_second_editor_is_told_and_sees_both_versions(
    staff: Browser, db: Session, project: Project, membership: ProjectMembership
) -> None:
    opened = staff.get(place(membership))
    staff.submit(place(membership), fields(opened, roles=["ProjectCollaborator"]), status=303)
    page = staff.submit(place(membership), fields(opened, roles=[]), status=200)
    assert "Sam Staff has changed this since you opened this page. Nothing was saved." in page
    conflict = page.html.select_one("#conflict").find_parent("section").text
    assert "Project Collaborator" in conflict
    assert members(db, project) == {"ann": ["ProjectCollaborator"]}
    staff.submit(place(membership), fields(page), status=303)
    assert members(db, project) == {"ann": []}


def test_removing_asks_first(
    staff: Browser, db: Session, project: Project, membership: ProjectMembership
) -> None:
    gone = place(membership, "remove")
    page = staff.get(f"{gone}?next={ADD}")
    assert "Remove Ann Alyst?" in page
    assert "loses the role Project Developer" in page
    assert members(db, project) == {"ann": ["ProjectDeveloper"]}
    answer = staff.submit(gone, fields(page), status=303)
    assert answer.location.endswith(ADD)
    assert "Removed ann from Asthma." in answer.follow()
    assert members(db, project) == {}
    assert events(db) == [
        ("project_member_updated_roles", "ann", "ProjectDeveloper", "", "staff-1"),
        ("project_member_removed", "ann", "", "", "staff-1"),
    ]
    staff.submit(gone, status=404)


@pytest.mark.parametrize("id_", ["x", "0", "-1", "1e3", "%D9%A3", "99999999999", "999999"])
@pytest.mark.parametrize("verb", ["edit", "remove"])
def test_a_membership_that_is_not_there_is_a_404(
    staff: Browser, db: Session, project: Project, id_: str, verb: str
) -> None:
    address = f"{HERE}members/{id_}/{verb}/"
    staff.get(address, status=404)
    staff.submit(address, {"roles": "ProjectDeveloper"}, status=404)


@pytest.mark.parametrize("verb", ["edit", "remove"])
def test_a_membership_of_another_project_is_a_404(
    staff: Browser, db: Session, project: Project, verb: str
) -> None:
    home = f.ProjectFactory()
    other = f.ProjectMembershipFactory(
        project=home, user=f.UserFactory(username="bob"), roles=["ProjectDeveloper"]
    )
    staff.get(place(other, verb), status=404)
    staff.submit(place(other, verb), status=404)
    assert members(db, home) == {"bob": ["ProjectDeveloper"]}


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x"]
)
@pytest.mark.parametrize("verb", ["edit", "remove"])
def test_nobody_is_led_to_another_site(
    staff: Browser, project: Project, membership: ProjectMembership, wanted: str, verb: str
) -> None:
    page = staff.get(place(membership, verb), {"next": wanted})
    assert "evil" not in page.html.find("main").decode()
    answer = staff.submit(place(membership, verb), {"next": wanted}, status=303 if verb == "remove" else "*")
    if answer.status_int == 303:
        assert answer.location == f"http://localhost{HERE}"
    answer = staff.submit(f"{place(membership, verb)}?next={wanted}", fields(page), status="*")
    assert "evil" not in answer.headers.get("Location", "")


@pytest.mark.parametrize("verb", ["edit", "remove"])
def test_who_comes_after_somebody_else_has_removed_the_member_is_told(
    staff: Browser,
    db: Session,
    session_factory: sessionmaker[Session],
    project: Project,
    membership: ProjectMembership,
    verb: str,
) -> None:
    sent = fields(staff.get(place(membership, verb)))
    answers: list[Any] = []
    late = threading.Thread(
        target=lambda: answers.append(staff.submit(place(membership, verb), sent, status="*"))
    )
    with session_factory() as session:
        first = session.get_one(User, membership.user_id)
        actions.remove(session, session.get_one(ProjectMembership, membership.id), by=first)
        late.start()
        late.join(0.3)
        assert late.is_alive()
        session.commit()
        late.join()
    assert answers[0].status_int == 303
    assert "ann is no member of Asthma any more. Nothing was changed." in answers[0].follow()
    assert members(db, project) == {}
    assert [each[0] for each in events(db)] == ["project_member_updated_roles", "project_member_removed"]


def test_tech_support_stays_on_pages_that_it_may_open(web: Browser, db: Session, project: Project) -> None:
    web.sign_in(f.UserFactory(roles=["TechSupport"]))
    f.UserFactory(username="ann")
    page = web.submit(ADD, {"users": "ann"}, status=303).follow(status=200)
    edit = next(each["href"] for each in page.html.select("main td a") if "/edit/" in each["href"])
    page = web.submit(edit, fields(web.get(edit), roles=["ProjectDeveloper"]), status=303).follow(status=200)
    links = {each["href"] for each in [*page.html.find("main").find_all("a"), *page.html.select(".crumbs a")]}
    for href in links:
        if href.startswith("/"):
            web.get(href.split("#")[0], status=200)
    remove = next(href for href in links if "/remove/" in href)
    web.submit(remove, fields(web.get(remove)), status=303).follow(status=200)
    assert members(db, project) == {}
