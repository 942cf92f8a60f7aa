"""A person in the staff area: what is shown, the account, closing and opening it (spec: staff 13)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import Application, AuditableEvent, PersonalToken, User, UserSession, utcnow
from jobserver.models.choices import TokenScope
from tests import factories as f
from tests.web.conftest import Browser
from tests.web.staff.filling import errors, filled

ANN = "/staff/users/ann/"
ACCOUNT = f"{ANN}account/"
DISABLE = f"{ANN}disable/"
BOT = "/staff/users/bot/account/"
PAGES = ("", "account/", "roles/", "roles/clear/", "set-orgs/", "disable/", "audit-log/")


@pytest.fixture
def boss(db: Session) -> User:
    """A Staff Area Administrator."""
    made: User = f.UserFactory(username="boss", fullname="Bo Boss", roles=["StaffAreaAdministrator"])
    return made


@pytest.fixture
def staff(web: Browser, boss: User) -> Browser:
    """The administrator's browser."""
    return web.sign_in(boss)


@pytest.fixture
def ann(db: Session) -> User:
    """Somebody who signs in with GitHub."""
    made: User = f.UserFactory(username="ann", fullname="Ann", email="ann@example.com")
    f.GithubIdentityFactory(user=made, login="ann-on-github")
    return made


@pytest.fixture
def bot(db: Session) -> User:
    """A program's account, without an address."""
    made: User = f.UserFactory(username="bot", fullname="Bot", email=None)
    return made


def token_of(db: Session, user: User, **values: Any) -> PersonalToken:
    given = {"name": "Nightly", "digest": f"digest-{user.id}", "scopes": [TokenScope.RELEASES.value]}
    made = PersonalToken(user_id=user.id, expires_at=utcnow() + timedelta(days=9), **(given | values))
    db.add(made)
    db.commit()
    return made


def now(db: Session, user: User) -> User:
    db.commit()
    return db.get_one(User, user.id, populate_existing=True)


def events(db: Session) -> list[AuditableEvent]:
    db.commit()
    return list(db.scalars(select(AuditableEvent).order_by(AuditableEvent.id)))


def test_a_username_leads_there_in_whatever_case_and_an_unknown_one_nowhere(
    staff: Browser, ann: User
) -> None:
    for page in PAGES:
        assert "ann" in staff.get(f"/staff/users/ANN/{page}")
        staff.get(f"/staff/users/nobody/{page}", status=404)
    staff.get("/staff/users/%00/", status=400)


def test_the_first_page_shows_what_somebody_has(staff: Browser, db: Session, ann: User) -> None:
    project = f.ProjectFactory(name="Asthma", number="POS-2026-2001")
    f.ProjectMembershipFactory(user=ann, project=project, roles=["ProjectDeveloper"])
    f.ProjectMembershipFactory(user=ann, project=f.ProjectFactory(name="Falls"))
    f.OrgMembershipFactory(user=ann, org=f.OrgFactory(name="Northmere"))
    f.ProjectFactory(name="Looked after", copilot=ann)
    page = staff.get(ANN)
    for text in (
        "ann-on-github",
        "Asthma",
        "POS-2026-2001",
        "Project Developer",
        "Northmere",
        "Looked after",
    ):
        assert text in page, text
    assert "No role: sees only what the public sees" in page
    assert page.text.index("Asthma") < page.text.index("Falls")


def test_the_newest_jobs_are_listed_with_a_way_to_all(staff: Browser, db: Session, ann: User) -> None:
    assert "Newest jobs" not in staff.get(ANN)
    for number in range(12):
        f.JobFactory(job_request=f.JobRequestFactory(created_by=ann), action=f"action_{number:02}")
    f.JobFactory(action="of_somebody_else")
    page = staff.get(ANN)
    shown = [each.text for each in page.html.select('[aria-labelledby="jobs"] tbody code')]
    assert shown == [f"action_{number:02}" for number in range(11, 1, -1)]
    assert page.html.select_one('nav[aria-label="User"] .count').text == "12"
    assert (
        page.html.select_one('[aria-labelledby="jobs"] header a')["href"] == "/staff/job-requests/?user=ann"
    )


def test_tokens_and_applications_are_listed_and_no_digest_is_shown(
    staff: Browser, db: Session, ann: User
) -> None:
    token_of(db, ann)
    token_of(db, ann, name="Old", digest="other", revoked_at=utcnow(), revoked_by_id=ann.id)
    db.add(Application(created_by_id=ann.id, study_name="Falls in winter"))
    db.commit()
    page = staff.get(ACCOUNT)
    assert [each.get_text() for each in page.html.select('[aria-labelledby="tokens"] tbody th')] != []
    for text in ("Nightly", "Old", "Revoked", "Works until", "Falls in winter"):
        assert text in page, text
    assert f"digest-{ann.id}" not in page


@pytest.mark.parametrize("page", ["", "account/"])
def test_a_page_costs_as_much_however_much_somebody_has(
    staff: Browser, db: Session, ann: User, count_statements: Any, page: str
) -> None:
    def has_more(times: int) -> None:
        for _ in range(times):
            f.ProjectMembershipFactory(user=ann, roles=["ProjectDeveloper"])
            f.OrgMembershipFactory(user=ann)
            f.BackendMembershipFactory(user=ann)
            f.JobFactory(job_request=f.JobRequestFactory(created_by=ann))
            f.ProjectFactory(copilot=ann)

    has_more(1)
    staff.get(ANN + page)
    counts = []
    for more in (0, 4):
        has_more(more)
        with count_statements() as sent:
            staff.get(ANN + page)
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 12, counts


def test_a_name_is_changed_once_and_recorded(staff: Browser, db: Session, ann: User) -> None:
    page = staff.get(ACCOUNT)
    assert not page.html.find("input", {"name": "email"})
    answer = staff.submit(
        ACCOUNT, filled(page, ACCOUNT, fullname="  Ann  Other ", reason="Asked"), status=303
    )
    assert answer.location.endswith(ACCOUNT)
    assert now(db, ann).fullname == "Ann Other"
    staff.submit(ACCOUNT, filled(staff.get(ACCOUNT), ACCOUNT), status=303)
    [event] = events(db)
    assert (event.type, event.target_user, event.created_by) == ("user_updated", "ann", "boss")
    assert (event.changes, event.reason) == ({"fullname": ["Ann", "Ann Other"]}, "Asked")


def test_the_address_of_who_signs_in_with_github_is_theirs_to_change(
    staff: Browser, db: Session, ann: User
) -> None:
    staff.submit(ACCOUNT, [*filled(staff.get(ACCOUNT), ACCOUNT), ("email", "evil@example.com")], status=303)
    assert now(db, ann).email == "ann@example.com"


@pytest.mark.parametrize("name", ["", "  ", "\u2800", "\x00", "x" * 256, "a\x1bb"])
def test_a_name_that_is_none_is_an_error_at_the_field(
    staff: Browser, db: Session, ann: User, name: str
) -> None:
    page = staff.submit(
        ACCOUNT, filled(staff.get(ACCOUNT), ACCOUNT, fullname=name, reason="Kept"), status=200
    )
    [error] = errors(page)
    assert error.startswith("Full name:")
    assert page.html.find("textarea", {"name": "reason"}).text.strip() == "Kept"
    assert now(db, ann).fullname == "Ann"
    assert events(db) == []


def test_an_address_is_kept_in_lower_case_and_is_nobody_elses(
    staff: Browser, db: Session, ann: User, bot: User
) -> None:
    page = staff.get(BOT)
    for taken in ("ann@example.com", "ANN@Example.com"):
        refused = staff.submit(BOT, filled(page, BOT, email=taken), status=200)
        assert "taken by another account" in errors(refused)[0]
    staff.submit(BOT, filled(page, BOT, email=" Bot@Example.COM "), status=303)
    assert now(db, bot).email == "bot@example.com"
    assert [each.changes for each in events(db)] == [{"email": [None, "bot@example.com"]}]


@pytest.mark.parametrize(
    "email", ["bot", "a@b@c", "bot@", "x" * 250 + "@e.org", "bot @e.org", "Bö@e.org", "\x00"]
)
def test_a_malformed_address_is_an_error_at_the_field(
    staff: Browser, db: Session, bot: User, email: str
) -> None:
    page = staff.submit(BOT, filled(staff.get(BOT), BOT, email=email), status=200)
    [error] = errors(page)
    assert error.startswith("Email address: It must be")
    assert now(db, bot).email is None


def test_only_a_bot_may_have_no_address(staff: Browser, db: Session, bot: User) -> None:
    staff.submit(BOT, filled(staff.get(BOT), BOT, fullname="Robot"), status=303)
    assert now(db, bot).fullname == "Robot"
    person = f.UserFactory(username="person")
    address = "/staff/users/person/account/"
    page = staff.submit(address, filled(staff.get(address), address, email=""), status=200)
    assert errors(page) == ["Email address: It is needed: only bots have none."]
    assert now(db, person).email


def test_the_second_of_two_who_edit_is_told_and_shown_both(staff: Browser, db: Session, ann: User) -> None:
    mine = filled(staff.get(ACCOUNT), ACCOUNT, fullname="Mine")
    staff.submit(ACCOUNT, filled(staff.get(ACCOUNT), ACCOUNT, fullname="Theirs"), status=303)
    page = staff.submit(ACCOUNT, mine, status=200)
    assert "Bo Boss has changed this" in errors(page)[0]
    row = page.html.select_one('[aria-labelledby="conflict"] tbody tr').get_text(" ", strip=True)
    assert row == "Full name Theirs Mine"
    assert now(db, ann).fullname == "Theirs"
    staff.submit(ACCOUNT, filled(page, ACCOUNT), status=303)
    assert now(db, ann).fullname == "Mine"


def test_an_account_is_closed_after_a_question_and_everything_ends(
    staff: Browser, db: Session, ann: User
) -> None:
    f.session_cookie(ann)
    token = token_of(db, ann)
    question = staff.get(DISABLE)
    assert now(db, ann).disabled_at is None
    answer = staff.submit(DISABLE, filled(question, DISABLE, reason="Left the project"), status=303)
    assert answer.location.endswith(ACCOUNT)
    assert "This account is disabled." in staff.get(ANN)
    assert now(db, ann).disabled_at is not None
    assert db.scalar(select(func.count()).where(UserSession.user_id == ann.id)) == 0
    db.refresh(token)
    assert token.revoked_at is not None
    assert [(each.type, each.target_user, each.reason) for each in events(db)] == [
        ("user_disabled", "ann", "Left the project"),
        ("personal_token_revoked", "ann", "Left the project"),
    ]
    staff.submit(DISABLE, status=303)
    assert "disabled already" in staff.get(DISABLE)
    assert len(events(db)) == 2


def test_an_account_is_opened_again(staff: Browser, db: Session, ann: User, boss: User) -> None:
    ann.disabled_at, ann.disabled_by_id = utcnow(), boss.id
    db.commit()
    page = staff.get(ACCOUNT)
    staff.submit(f"{ANN}enable/", filled(page, f"{ANN}enable/"), status=303)
    assert now(db, ann).disabled_at is None
    staff.submit(f"{ANN}enable/", status=303)
    assert "was not disabled" in staff.get(ANN)
    assert [each.type for each in events(db)] == ["user_enabled"]
    staff.get(f"{ANN}enable/", status=405)


def test_nobody_closes_their_own_account(staff: Browser, db: Session, boss: User) -> None:
    f.UserFactory(roles=["StaffAreaAdministrator"])
    mine = "/staff/users/boss/"
    assert "Disable" not in staff.get(f"{mine}account/").html.select_one("main").text
    page = staff.submit(f"{mine}disable/", status=200)
    assert errors(page) == ["You cannot disable your own account."]
    assert now(db, boss).disabled_at is None
    assert events(db) == []


def test_what_people_call_themselves_is_shown_as_text(staff: Browser, db: Session, ann: User) -> None:
    ann.fullname = "<script>alert(1)</script>"
    db.commit()
    for page in PAGES:
        assert "<script>alert" not in staff.get(ANN + page)


def test_an_auditor_reads_and_changes_nothing(web: Browser, db: Session, ann: User) -> None:
    token_of(db, ann)
    web.sign_in(f.UserFactory(roles=["Auditor"]))
    for page in ("", "account/"):
        assert web.get(ANN + page).html.select('main form[method="post"]') == []
    for page in ("", "account/", "roles/", "roles/clear/", "set-orgs/", "disable/", "enable/"):
        web.submit(ANN + page, {"fullname": "x"}, status=403)
    assert events(db) == []
