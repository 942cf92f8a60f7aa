"""Giving and taking global roles (spec: staff 13.3, 17.17, 17.21, 17.27; access 1.6)."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, ProjectMembership, User
from jobserver.models.choices import GLOBAL_ROLES
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.staff.filling import errors, filled

ANN = "/staff/users/ann/"
ROLES = f"{ANN}roles/"
CLEAR = f"{ROLES}clear/"


@pytest.fixture
def boss(db: Session) -> User:
    """The only Staff Area Administrator."""
    made: User = f.UserFactory(username="boss", fullname="Bo Boss", roles=["StaffAreaAdministrator"])
    return made


@pytest.fixture
def ann(db: Session) -> User:
    """Somebody with a role that reaches every project, and one that does not."""
    made: User = f.UserFactory(username="ann", fullname="Ann", roles=["OutputChecker"])
    return made


@pytest.fixture
def staff(web: Browser, boss: User) -> Browser:
    """The administrator's browser."""
    return web.sign_in(boss)


def held(db: Session, user: User) -> list[str]:
    db.expire_all()
    return list(db.get_one(User, user.id).roles)


def events(db: Session) -> list[AuditableEvent]:
    db.commit()
    return list(db.scalars(select(AuditableEvent).order_by(AuditableEvent.id)))


def mails(db: Session) -> list[dict[str, Any]]:
    query = "SELECT args FROM procrastinate_jobs WHERE task_name = 'mail_roles_given' ORDER BY id"
    return list(db.scalars(text(query)))


def test_the_global_roles_are_offered_each_with_what_it_is_for(staff: Browser, ann: User) -> None:
    for address in (ANN, ROLES):
        page = staff.get(address)
        boxes = page.html.select('input[name="roles"]')
        assert [box["value"] for box in boxes] == [role.value for role in GLOBAL_ROLES]
        assert [box["value"] for box in boxes if box.has_attr("checked")] == ["OutputChecker"]
        for box in boxes:
            assert page.html.find(id=box["aria-describedby"]).text
        assert "ProjectDeveloper" not in page.text


def test_exactly_the_ticked_roles_are_held_afterwards(staff: Browser, db: Session, ann: User) -> None:
    sent = filled(staff.get(ANN), ROLES, roles=["SignOffRepoWithOutputs", "TechSupport"], reason="Joins us")
    answer = staff.submit(ROLES, sent, status=303)
    assert answer.location.endswith(ANN)
    assert "told by email" in staff.get(ANN).text
    assert held(db, ann) == ["SignOffRepoWithOutputs", "TechSupport"]
    [event] = events(db)
    assert (event.type, event.created_by, event.target_user) == ("user_updated_roles", "boss", "ann")
    assert (event.old, event.new) == ("OutputChecker", "SignOffRepoWithOutputs,TechSupport")
    assert (event.reason, event.source) == ("Joins us", "browser")


def test_nothing_is_written_when_nothing_changes(staff: Browser, db: Session, ann: User) -> None:
    staff.submit(ROLES, filled(staff.get(ROLES), ROLES), status=303)
    assert "Nothing was changed" in staff.get(ANN).text
    assert events(db) == []
    assert mails(db) == []


@pytest.mark.parametrize("role", ["ProjectDeveloper", "Emperor", "", "\x00", "x" * 9000])
def test_a_role_that_is_not_offered_is_an_error_at_the_field(
    staff: Browser, db: Session, ann: User, role: str
) -> None:
    page = staff.submit(ROLES, filled(staff.get(ROLES), ROLES, roles=["TechSupport", role]), status=200)
    assert errors(page) == ["Global roles: Choose among the roles listed here."]
    assert held(db, ann) == ["OutputChecker"]
    assert events(db) == []


def test_a_reason_can_be_too_long(staff: Browser, db: Session, ann: User) -> None:
    sent = filled(staff.get(ROLES), ROLES, roles=["TechSupport"], reason="x" * 501)
    page = staff.submit(ROLES, sent, status=200)
    assert errors(page) == ["Reason: Shorten this to 500 characters or fewer."]
    assert page.html.find("input", {"value": "TechSupport"}).has_attr("checked")
    assert held(db, ann) == ["OutputChecker"]


@pytest.mark.parametrize(
    ("wanted", "leads"),
    [("/staff/orgs/", "/staff/orgs/"), ("//evil.example/", ANN), ("https://evil.example/", ANN), ("", ANN)],
)
def test_next_leads_only_to_pages_of_this_site(staff: Browser, ann: User, wanted: str, leads: str) -> None:
    sent = filled(staff.get(ROLES), ROLES, roles=["TechSupport"], next=wanted)
    assert staff.submit(ROLES, sent, status=303).location == f"http://localhost{leads}"
    cleared = staff.submit(CLEAR, {"next": wanted}, status=303).location
    assert cleared == f"http://localhost{leads if leads != ANN else ROLES}"


def test_the_person_and_the_administrators_are_told_of_far_reaching_roles(
    staff: Browser, db: Session, boss: User, ann: User
) -> None:
    other = f.UserFactory(username="other", roles=["StaffAreaAdministrator"])
    f.UserFactory(roles=["StaffAreaAdministrator"], disabled_at=other.date_joined, disabled_by_id=boss.id)
    f.UserFactory(roles=["StaffAreaAdministrator"], email=None)
    sent = filled(staff.get(ROLES), ROLES, roles=["OutputChecker", "OutputPublisher"], reason="Why not")
    staff.submit(ROLES, sent, status=303)
    told = mails(db)
    assert {each["recipient_id"] for each in told} == {boss.id, ann.id, other.id}
    assert {each["user_id"] for each in told} == {ann.id}
    assert [each["roles"] for each in told] == [["OutputPublisher"]] * 3
    assert {(each["by"], each["reason"]) for each in told} == {("boss", "Why not")}


def test_nobody_is_told_of_roles_taken_or_of_little_reach(staff: Browser, db: Session, ann: User) -> None:
    staff.submit(ROLES, filled(staff.get(ROLES), ROLES, roles=["SignOffRepoWithOutputs"]), status=303)
    assert held(db, ann) == ["SignOffRepoWithOutputs"]
    assert mails(db) == []


def test_ones_own_roles_need_a_confirmation(staff: Browser, db: Session, boss: User) -> None:
    mine = "/staff/users/boss/roles/"
    sent = filled(staff.get(mine), mine, roles=["StaffAreaAdministrator", "OutputChecker"])
    page = staff.submit(mine, sent, status=200)
    assert errors(page) == [
        "Yes, change my own roles: These are your own roles. Tick the box to change them."
    ]
    assert held(db, boss) == ["StaffAreaAdministrator"]
    kept = filled(page, mine)
    assert ("roles", "OutputChecker") in kept
    staff.submit(mine, [*kept, ("own", "y")], status=303)
    assert held(db, boss) == ["OutputChecker", "StaffAreaAdministrator"]
    assert not staff.get(ROLES, status="*").html.find("input", {"name": "own"})


def test_the_last_active_administrator_stays_one(staff: Browser, db: Session, boss: User) -> None:
    f.UserFactory(roles=["StaffAreaAdministrator"], disabled_at=boss.date_joined, disabled_by_id=boss.id)
    mine = "/staff/users/boss/"
    page = staff.submit(
        f"{mine}roles/", filled(staff.get(mine), f"{mine}roles/", roles=["TechSupport"], own="y"), status=200
    )
    assert "boss is the last active Staff Area Administrator" in errors(page)[0]
    assert "last active" in staff.submit(f"{mine}roles/clear/", status=200).text
    assert staff.submit(f"{mine}disable/", status=200)
    assert held(db, boss) == ["StaffAreaAdministrator"]
    assert db.get_one(User, boss.id).disabled_at is None
    assert events(db) == []
    f.UserFactory(roles=["StaffAreaAdministrator"])
    staff.submit(f"{mine}roles/clear/", status=303)
    assert held(db, boss) == []
    staff.get(mine, status=403)


def test_roles_in_projects_are_taken_only_by_who_may_change_them(
    staff: Browser, db: Session, ann: User
) -> None:
    asthma = f.ProjectFactory(name="Asthma")
    member = f.ProjectMembershipFactory(user=ann, project=asthma, roles=["ProjectDeveloper"])
    question = staff.get(CLEAR)
    assert "Ann keeps these, which you may not take away: Project Developer, in Asthma." in (
        " ".join(question.html.find("main").text.split())
    )
    answer = staff.submit(CLEAR, filled(question, CLEAR), status=303)
    assert "ann has no global role any more." in answer.follow()
    assert held(db, ann) == []
    assert db.get_one(ProjectMembership, member.id).roles == ["ProjectDeveloper"]
    assert [each.type for each in events(db)] == ["user_updated_roles"]
    nothing = staff.get(CLEAR)
    assert "has no role that you may take away" in nothing
    assert "Asthma" in nothing


def test_taking_all_roles_away_is_asked_about_and_recorded_one_by_one(
    staff: Browser, db: Session, ann: User
) -> None:
    staff.sign_in(f.UserFactory(roles=["StaffAreaAdministrator", "TechSupport"]))
    member = f.ProjectMembershipFactory(user=ann, roles=["ProjectDeveloper"])
    bare = f.ProjectMembershipFactory(user=ann)
    question = staff.get(CLEAR)
    assert "Output Checker" in question
    assert member.project.name in question
    assert bare.project.name not in question
    staff.submit(CLEAR, filled(question, CLEAR, reason="Left"), status=303)
    assert held(db, ann) == []
    memberships = db.scalars(select(ProjectMembership).where(ProjectMembership.user_id == ann.id)).all()
    assert [each.roles for each in memberships] == [[], []]
    assert [(each.type, each.old, each.new, each.reason) for each in events(db)] == [
        ("user_updated_roles", "OutputChecker", "", "Left"),
        ("project_member_updated_roles", "ProjectDeveloper", "", "Left"),
    ]
    staff.submit(CLEAR, status=303)
    assert "Nothing was changed" in staff.get(ROLES).text
    assert len(events(db)) == 2
    assert "has no role" in staff.get(CLEAR)


def test_roles_in_projects_are_listed_with_the_way_to_change_them(staff: Browser, ann: User) -> None:
    member = f.ProjectMembershipFactory(user=ann, roles=["ProjectDeveloper"])
    f.ProjectMembershipFactory(user=ann)
    edit = f"/staff/projects/{member.project.slug}/members/{member.id}/edit/"
    assert edit not in staff.get(ROLES)
    staff.sign_in(f.UserFactory(roles=["StaffAreaAdministrator", "TechSupport"]))
    page = staff.get(ROLES)
    assert [each["href"] for each in page.html.select("table a.btn")] == [
        f"{edit}?next=/staff/users/ann/roles/"
    ]
    assert len(page.html.select("table tbody tr")) == 1
    assert len(staff.get(ANN).html.select("table a.btn")) == 2


def test_the_second_of_two_who_edit_is_told_and_shown_both(
    staff: Browser, db: Session, boss: User, ann: User
) -> None:
    mine = filled(staff.get(ROLES), ROLES, roles=["TechSupport"])
    theirs = filled(staff.get(ROLES), ROLES, roles=["OutputChecker", "OutputPublisher"])
    staff.submit(ROLES, theirs, status=303)
    page = staff.submit(ROLES, mine, status=200)
    assert "Bo Boss has changed this" in errors(page)[0]
    row = page.html.select_one('[aria-labelledby="conflict"] tbody tr').get_text(" ", strip=True)
    assert row == "Global roles Output Checker, Output Publisher Tech Support"
    assert held(db, ann) == ["OutputChecker", "OutputPublisher"]
    staff.submit(ROLES, filled(page, ROLES), status=303)
    assert held(db, ann) == ["TechSupport"]


def test_an_auditor_sees_the_roles_and_no_dead_button(web: Browser, ann: User) -> None:
    page = web.sign_in(f.UserFactory(roles=["Auditor"])).get(ANN)
    assert "Output Checker" in page
    assert page.html.select('main form[method="post"]') == []
    assert "Take away" not in page.text
    assert "Disable" not in page.text
