"""``create-bot``: users for programs, and their personal tokens (spec: access 4.8, operations 2)."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import bots
from jobserver.actions.audit import OPERATOR
from jobserver.models import AuditableEvent, PersonalToken, TokenScope, User, utcnow
from jobserver.security import callers, tokens
from jobserver.security.callers import CallerRefused
from tests import factories as f
from tests.unit.command import Run, count, ok, refused

READS = frozenset({TokenScope.RELEASES})


def test_a_bot_gets_a_name_no_email_address_and_a_token_that_is_printed_once(run: Run, db: Session) -> None:
    printed = ok(run("create-bot", "osrelease-bot"))
    day = (utcnow() + timedelta(days=90)).date()
    assert re.fullmatch(rf"osrelease-bot:[0-9a-f]{{64}}-{day.isoformat()}\n", printed)
    bot = db.scalars(select(User)).one()
    assert (bot.fullname, bot.email, bot.roles) == ("Osrelease Bot", None, [])
    token = db.scalars(select(PersonalToken)).one()
    assert (token.user_id, token.scopes, token.created_by_id) == (bot.id, ["releases"], None)
    assert token.expires_at == datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    assert token.digest not in printed
    assert (bot.pat_token, bot.pat_expires_at) == (None, None)
    assert callers.by_personal_token(db, printed.strip(), READS).person.username == "osrelease-bot"
    events = db.scalars(select(AuditableEvent).order_by(AuditableEvent.id)).all()
    assert [(each.type, each.target_user, each.created_by) for each in events] == [
        ("user_created", "osrelease-bot", "operator's command"),
        ("personal_token_created", "osrelease-bot", "operator's command"),
    ]
    assert printed.split(":")[1][:64] not in str([vars(each) for each in events])


def test_two_bots_can_be_made_and_named(run: Run, db: Session) -> None:
    ok(run("create_bot", "one", "--name", "The first"))
    ok(run("create-bot", "two"))
    assert {bot.fullname for bot in db.scalars(select(User))} == {"The first", "Two"}


def test_a_taken_name_is_said_to_be_what_clashed(run: Run, db: Session) -> None:
    ok(run("create-bot", "one"))
    for name in ("one", "ONE"):
        refused(run("create-bot", name), f"The username “{name}” is taken.*--rotate")
    assert count(db, User) == 1


def test_a_new_token_ends_the_one_before(run: Run, db: Session) -> None:
    first = ok(run("create-bot", "one")).strip()
    second = ok(run("create-bot", "one", "--rotate")).strip()
    db.rollback()
    assert callers.by_personal_token(db, second, READS)
    with pytest.raises(CallerRefused):
        callers.by_personal_token(db, first, READS)
    types = db.scalars(select(AuditableEvent.type).order_by(AuditableEvent.id)).all()
    assert types[-2:] == ["personal_token_revoked", "personal_token_created"]
    ended = db.scalars(select(PersonalToken).where(PersonalToken.revoked_at.is_not(None))).one()
    assert ended.digest == tokens.digest(first.partition(":")[2])


def test_a_token_is_good_through_its_last_day(db: Session) -> None:
    for days, good in ((90, True), (91, False)):
        bot, token = bots.create(db, username=f"bot-{days}", by=OPERATOR, now=utcnow() - timedelta(days=days))
        db.flush()
        authorization = f"{bot.username}:{token}"
        if good:
            assert callers.by_personal_token(db, authorization, READS)
        else:
            with pytest.raises(CallerRefused):
                callers.by_personal_token(db, authorization, READS)


def test_who_cannot_have_a_token_is_refused_in_one_line(run: Run, db: Session) -> None:
    f.GithubIdentityFactory(user=f.UserFactory(username="ada"))
    f.UserFactory(username="gone", disabled_at=utcnow(), disabled_by_id=f.UserFactory().id)
    refused(run("create-bot", "ada", "--rotate"), "signs in with GitHub")
    refused(run("create-bot", "gone", "--rotate"), "is disabled")
    refused(run("create-bot", "nobody", "--rotate"), "no user “nobody”")
    for name in ("a@b", "", "-", "x" * 300, "with space"):
        refused(run("create-bot", "--", name), "username|name")
    assert count(db, User) == 3
