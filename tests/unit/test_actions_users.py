import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import closing, users
from jobserver.actions.audit import OPERATOR
from jobserver.actions.naming import Malformed, Taken
from jobserver.models import AuditableEvent, AuditType, GithubIdentity, Role, User, UserSession, utcnow
from tests import factories


def events(db: Session) -> list[tuple[str, str, str, str, str]]:
    columns = ("type", "target_user", "old", "new", "created_by")
    return [
        tuple(getattr(event, name) for name in columns)
        for event in db.scalars(select(AuditableEvent).order_by(AuditableEvent.id))
    ]


def tasks(db: Session) -> list[tuple[str, dict[str, object]]]:
    return [tuple(row) for row in db.execute(text("SELECT task_name, args FROM procrastinate_jobs"))]


def create(db: Session, **given: Any) -> User:
    values = {"username": "ada", "email": "ada@example.org", "fullname": "Ada", "by": OPERATOR, **given}
    return users.create(db, **values)


def register(db: Session, **given: Any) -> User:
    values = {"uid": "99", "login": "ada", "name": "Ada L.", "verified_email": "Ada@Example.org", **given}
    return users.register_github(db, **values)


def test_a_user_is_stored_in_one_spelling(db: Session) -> None:
    user = create(db, username=" ａda ", email=" Ada@EXAMPLE.org ", fullname="  Ada  Lovelace ")
    db.commit()
    assert (user.username, user.email, user.fullname) == ("ada", "ada@example.org", "Ada Lovelace")
    assert events(db) == [(AuditType.USER_CREATED, "ada", "", "", "operator's command")]


def test_several_users_may_have_no_email(db: Session) -> None:
    assert create(db, username="bot-1", email="").email is None
    assert create(db, username="bot-2", email=None).email is None
    db.commit()


@pytest.mark.parametrize("username", ["", " ", "a@b", "a b", "日本", "a/b", "x" * 256, "a\nb"])
def test_a_malformed_username_is_refused(db: Session, username: str) -> None:
    with pytest.raises(Malformed) as refused:
        create(db, username=username)
    assert refused.value.field == "username"


@pytest.mark.parametrize("email", ["ada", "@example.org", "ada@", "a b@c", "a@b@c", "x" * 250 + "@e.org"])
def test_a_malformed_email_is_refused(db: Session, email: str) -> None:
    with pytest.raises(Malformed) as refused:
        create(db, email=email)
    assert refused.value.field == "email"


def test_a_username_or_email_that_differs_in_case_only_is_taken(db: Session) -> None:
    create(db)
    with pytest.raises(Taken) as refused:
        create(db, username="ADA", email="other@example.org")
    assert (refused.value.field, refused.value.value) == ("username", "ADA")
    with pytest.raises(users.EmailTaken) as email_refused:
        create(db, username="other", email="ADA@example.org")
    assert email_refused.value.field == "email"


def test_two_people_cannot_take_one_username_at_the_same_moment(
    session_factory: sessionmaker[Session], db: Session
) -> None:
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def sign_up(email: str) -> None:
        with session_factory() as session:
            barrier.wait()
            try:
                create(session, email=email)
                session.commit()
                outcomes.append("created")
            except Taken:
                outcomes.append("taken")

    threads = [threading.Thread(target=sign_up, args=(f"{n}@example.org",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(outcomes) == {"created": 1, "taken": 1}


def test_roles_are_added_sorted_and_only_changes_are_recorded(db: Session) -> None:
    admin, user = factories.UserFactory(username="admin"), factories.UserFactory(username="ada")
    assert users.add_global_roles(db, user, [Role.TECH_SUPPORT], by=admin) == [Role.TECH_SUPPORT]
    assert users.add_global_roles(db, user, [Role.OUTPUT_CHECKER, Role.TECH_SUPPORT], by=admin) == [
        Role.OUTPUT_CHECKER
    ]
    assert users.add_global_roles(db, user, [Role.TECH_SUPPORT], by=admin) == []
    db.commit()
    assert user.roles == ["OutputChecker", "TechSupport"]
    assert events(db) == [
        (AuditType.USER_UPDATED_ROLES, "ada", "", "TechSupport", "admin"),
        (AuditType.USER_UPDATED_ROLES, "ada", "TechSupport", "OutputChecker,TechSupport", "admin"),
    ]


def test_a_role_for_projects_is_not_given_globally(db: Session) -> None:
    with pytest.raises(Malformed, match="ProjectDeveloper"):
        users.add_global_roles(db, factories.UserFactory(), [Role.PROJECT_DEVELOPER], by=OPERATOR)


def test_disabling_ends_sessions_and_tokens_at_once(db: Session) -> None:
    admin, user = factories.UserFactory(username="admin"), factories.UserFactory(username="ada")
    factories.session_cookie(user)
    assert closing.disable(db, user, by=admin)
    assert not closing.disable(db, user, by=admin)
    db.commit()
    assert db.scalar(select(func.count(UserSession.id))) == 0
    assert (user.disabled_at is not None, user.disabled_by_id) == (True, admin.id)
    assert closing.enable(db, user, by=OPERATOR)
    assert not closing.enable(db, user, by=OPERATOR)
    db.commit()
    assert user.disabled_at is None
    assert [event[0] for event in events(db)] == [AuditType.USER_DISABLED, AuditType.USER_ENABLED]


def test_who_comes_to_run_the_staff_area_stays_signed_in_no_longer_than_others_who_do(db: Session) -> None:
    user, other = factories.UserFactory(), factories.UserFactory()
    for each in (user, user, other):
        factories.session_cookie(each)
    soon = utcnow() + timedelta(hours=1)
    first, second, of_other = db.scalars(select(UserSession).order_by(UserSession.id))
    second.expires_at = soon
    users.set_global_roles(db, user, [Role.OUTPUT_CHECKER], by=OPERATOR)
    db.commit()
    assert first.expires_at > utcnow() + timedelta(days=13)
    users.set_global_roles(db, user, [Role.STAFF_AREA_ADMINISTRATOR], by=OPERATOR)
    db.commit()
    assert utcnow() + timedelta(hours=11) < first.expires_at <= utcnow() + timedelta(hours=12)
    assert second.expires_at == soon
    assert of_other.expires_at > utcnow() + timedelta(days=13)


def test_a_first_sign_in_opens_an_account_and_has_it_announced(db: Session) -> None:
    user = register(db)
    db.commit()
    identity = db.scalars(select(GithubIdentity)).one()
    assert (user.username, user.fullname, user.email, user.roles) == ("ada", "Ada L.", "ada@example.org", [])
    assert (identity.user_id, identity.uid, identity.login) == (user.id, "99", "ada")
    assert identity.extra_data.keys() == {"id", "login", "auth_time"}
    assert tasks(db) == [("announce_new_user", {"user_id": user.id})]
    assert events(db) == [(AuditType.USER_CREATED, "ada", "", "", "ada")]


def test_people_are_known_by_github_id_and_their_login_is_kept_up_to_date(db: Session) -> None:
    first = register(db)
    db.commit()
    again = register(db, login="ada-renamed", name="Other", verified_email=None)
    db.commit()
    assert again.id == first.id
    assert (again.username, again.fullname, again.email) == ("ada", "Ada L.", "ada@example.org")
    assert db.scalars(select(GithubIdentity.login)).one() == "ada-renamed"
    assert len(tasks(db)) == 1


def test_a_sign_in_never_takes_over_an_account_of_the_same_username(db: Session) -> None:
    factories.UserFactory(username="Ada", roles=["StaffAreaAdministrator"])
    with pytest.raises(users.UsernameTaken):
        register(db)
    db.rollback()
    assert db.scalar(select(func.count(GithubIdentity.id))) == 0
    assert tasks(db) == []


def test_a_first_sign_in_needs_a_verified_email_that_nobody_else_has(db: Session) -> None:
    with pytest.raises(users.EmailUnverified):
        register(db, verified_email=None)
    factories.UserFactory(email="ada@example.org")
    with pytest.raises(users.EmailTaken):
        register(db)


def test_a_first_sign_in_without_a_name_asks_for_one(db: Session) -> None:
    with pytest.raises(Malformed) as refused:
        register(db, name="  ")
    assert refused.value.field == "name"


def test_a_disabled_person_cannot_sign_in(db: Session) -> None:
    user = register(db)
    closing.disable(db, user, by=factories.UserFactory())
    db.commit()
    with pytest.raises(users.AccountDisabled):
        register(db)
