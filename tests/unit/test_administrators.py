"""There is always an administrator, and they learn who is given power (spec: staff 17.21)."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import administrators, closing, users
from jobserver.actions.administrators import LastAdministrator
from jobserver.actions.audit import OPERATOR
from jobserver.actions.naming import Refused
from jobserver.models import Role, User
from jobserver.models.choices import GLOBAL_ROLES
from jobserver.security.roles import SENSITIVE
from jobserver.settings import Settings
from jobserver.tasks.deliveries import DELIVERIES
from jobserver.tasks.retrying import GiveUp
from tests import factories as f
from tests.outbox import Outbox
from tests.unit.command import Run
from tests.unit.test_scripts import ok, refused

STAFF = Role.STAFF_AREA_ADMINISTRATOR


def administrator(**values: Any) -> User:
    made: User = f.UserFactory(roles=[STAFF.value], **values)
    return made


def active(db: Session) -> int:
    db.rollback()
    return db.scalar(select(func.count(User.id)).where(administrators.is_administrator())) or 0


def test_the_last_one_keeps_role_and_account_whoever_asks(db: Session) -> None:
    last, other = administrator(), f.UserFactory()
    with pytest.raises(LastAdministrator):
        users.set_global_roles(db, last, [Role.TECH_SUPPORT], by=OPERATOR)
    with pytest.raises(LastAdministrator):
        closing.disable(db, last, by=other)
    assert active(db) == 1
    users.set_global_roles(db, last, [STAFF, Role.TECH_SUPPORT], by=last)
    db.commit()


def test_a_disabled_one_does_not_count_and_may_lose_the_role(db: Session) -> None:
    last = administrator()
    closed = administrator(disabled_at=last.date_joined, disabled_by_id=last.id)
    with pytest.raises(LastAdministrator):
        users.set_global_roles(db, last, [], by=OPERATOR)
    assert users.set_global_roles(db, closed, [], by=OPERATOR)
    db.commit()


def test_one_who_cannot_sign_in_is_no_other_for_one_who_can(db: Session) -> None:
    last, made_by_command = administrator(), administrator()
    f.GithubIdentityFactory(user=last)
    with pytest.raises(LastAdministrator):
        users.set_global_roles(db, last, [], by=OPERATOR)
    with pytest.raises(LastAdministrator):
        closing.disable(db, last, by=made_by_command)
    assert users.set_global_roles(db, made_by_command, [], by=OPERATOR)
    f.GithubIdentityFactory(user=administrator())
    assert users.set_global_roles(db, last, [], by=OPERATOR)
    db.commit()


def test_nobody_closes_their_own_account(db: Session) -> None:
    one, _ = administrator(), administrator()
    with pytest.raises(Refused, match="your own account"):
        closing.disable(db, one, by=one)


Act = Callable[[Session, User, User], Any]
TAKE: Act = lambda db, user, by: users.set_global_roles(db, user, [], by=by)  # noqa: E731
CLOSE: Act = lambda db, user, by: closing.disable(db, user, by=by)  # noqa: E731


@pytest.mark.parametrize(("first", "second"), [(TAKE, TAKE), (TAKE, CLOSE), (CLOSE, CLOSE)])
def test_two_who_remove_each_other_at_once_leave_one(
    db: Session, session_factory: sessionmaker[Session], first: Act, second: Act
) -> None:
    one, other = administrator(), administrator()
    barrier, done = threading.Barrier(2), Counter[str]()

    def remove(act: Act, whom: int, by: int) -> None:
        with session_factory() as own:
            barrier.wait()
            try:
                act(own, own.get_one(User, whom), own.get_one(User, by))
                own.commit()
                done["removed"] += 1
            except LastAdministrator:
                done["refused"] += 1

    threads = [
        threading.Thread(target=remove, args=arguments)
        for arguments in ((first, one.id, other.id), (second, other.id, one.id))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == {"removed": 1, "refused": 1}
    assert active(db) == 1


def test_the_command_keeps_the_rule(run: Run, db: Session) -> None:
    administrator(username="last")
    f.UserFactory(username="other")
    refused(run("disable-user", "last", "--by", "other"), "last is the last active Staff Area Administrator")
    refused(run("disable-user", "other", "--by", "other"), "your own account")
    assert active(db) == 1
    administrator(username="second")
    assert ok(run("disable-user", "last", "--by", "second")) == "User last disabled.\n"


def test_roles_that_reach_beyond_a_project_are_told_of() -> None:
    assert {Role.PROJECT_DEVELOPER, *GLOBAL_ROLES} - SENSITIVE == {
        Role.PROJECT_DEVELOPER,
        Role.SIGN_OFF_REPO_WITH_OUTPUTS,
    }


def test_each_is_mailed_what_was_given_by_whom_and_why(
    db: Session, settings: Settings, session_factory: sessionmaker[Session]
) -> None:
    boss, gone = administrator(username="boss"), administrator(username="gone")
    ann = f.UserFactory(username="ann", fullname="Ann <b>")
    users.set_global_roles(db, ann, [Role.TECH_SUPPORT], by=boss, reason="Joins <us>")
    closing.disable(db, gone, by=boss)
    db.commit()
    rows = db.execute(text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id")).all()
    outbox = Outbox()
    context = outbox.context(settings, session_factory)
    deliver = {task.value: function for task, function in DELIVERIES.items()}
    for name, arguments in rows:
        deliver[name](context, **arguments)
    sent = {message.to: message for message in outbox.messages}
    assert set(sent) == {"boss@example.com", "ann@example.com"}
    mine, theirs = sent["ann@example.com"], sent["boss@example.com"]
    assert mine.subject == "You were given the role Tech Support"
    assert theirs.subject == "ann was given Tech Support"
    for each in (mine, theirs):
        assert "boss gave" in each.text
        assert "The reason given: Joins <us>" in each.text
        assert "Joins &lt;us&gt;" in each.html
    assert "http://localhost/settings/access/" in mine.text
    assert "http://localhost/staff/users/ann/" in theirs.text
    with pytest.raises(GiveUp):
        deliver["mail_roles_given"](context, **(dict(rows[0][1]) | {"user_id": 0}))
