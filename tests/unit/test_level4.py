"""Level 4 tokens: their words and their hash; making one; the mails about them; clearing them away."""

import re
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import level4 as actions
from jobserver.actions.level4 import NotEligible
from jobserver.models import AuditableEvent, User, utcnow
from jobserver.rap.context import Context
from jobserver.security import level4, sessions
from jobserver.settings import Settings
from jobserver.tasks import level4_mails, worker
from jobserver.tasks.deliveries import DELIVERIES
from jobserver.tasks.retrying import GiveUp
from tests import factories as f
from tests.outbox import Outbox
from tests.unit.rap.eventually import eventually, in_background

KEY, OLD = "a key that is long enough", "the key before that"


def someone(db: Session, **values: Any) -> User:
    user: User = f.UserFactory(**values)
    f.GithubIdentityFactory(user=user)
    f.BackendMembershipFactory(user=user)
    return user


def test_a_token_is_three_short_words_with_single_spaces() -> None:
    made = {level4.new_token() for _ in range(30)}
    assert len(made) == 30
    for token in made:
        assert re.fullmatch(r"[a-z-]{5,9}( [a-z-]{5,9}){2}", token)


def test_words_are_drawn_from_7227() -> None:
    from xkcdpass import xkcd_password

    words = xkcd_password.generate_wordlist(
        xkcd_password.locate_wordfile("eff-long"), level4.SHORTEST_WORD, level4.LONGEST_WORD
    )
    assert len(set(words)) == len(words) == 7227


def test_a_web_process_does_not_hold_the_words() -> None:
    program = "import sys, jobserver.actions.level4; print('xkcdpass' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_only_a_hash_with_a_salt_of_its_own_is_stored() -> None:
    first, second = (level4.hashed("river pepper lantern", KEY) for _ in range(2))
    assert first != second
    assert re.fullmatch(r"scrypt\$[0-9a-f]{32}\$[0-9a-f]{128}", first)


def test_the_hash_needs_the_right_key() -> None:
    stored = level4.hashed("river pepper lantern", OLD)
    assert level4.matches("river pepper lantern", stored, [KEY, OLD])
    assert level4.matches(" riverpepper\tlantern ", stored, [OLD])
    assert not level4.matches("river pepper lantern", stored, [KEY])
    assert not level4.matches("river pepper lanterns", stored, [KEY, OLD])
    assert not level4.matches("River pepper lantern", stored, [KEY, OLD])
    assert not level4.matches("river pepper lantern", stored, [])


@pytest.mark.parametrize("stored", [None, "", "scrypt", "argon2$argon2id$v=19$m=1,t=2,p=8$c2Fs$aGE"])
def test_nothing_matches_what_is_no_such_hash(stored: str | None) -> None:
    assert not level4.matches("river pepper lantern", stored, [KEY])
    assert not level4.matches("", stored, [KEY])


def test_a_new_token_replaces_the_one_before_and_forgets_its_failures(db: Session) -> None:
    user = someone(db)
    now = utcnow()
    first = actions.create_token(db, sessions.identity_of(db, user.id), KEY, now=now)
    user.login_token_failures = 4
    second = actions.create_token(db, sessions.identity_of(db, user.id), KEY, now=now)
    assert second.expires_at == user.login_token_expires_at == now + timedelta(hours=1)
    assert level4.matches(second.token, user.login_token, [KEY])
    assert not level4.matches(first.token, user.login_token, [KEY])
    assert user.login_token_failures == 0


def test_making_one_is_recorded_and_its_owner_told_without_the_token(db: Session) -> None:
    user = someone(db, username="ada")
    made = actions.create_token(db, sessions.identity_of(db, user.id), KEY)
    event = db.scalars(select(AuditableEvent)).one()
    assert (event.type, event.created_by, event.target_user) == ("level4_token_created", "ada", "ada")
    stored = "".join(db.scalars(text("SELECT t::text FROM procrastinate_jobs t")))
    assert "mail_level4_token_created" in stored
    first, second, third = made.token.split()
    assert not re.search(rf"{first}\W*{second}|{second}\W*{third}", stored)


@pytest.mark.parametrize(("github", "backend"), [(False, True), (True, False), (False, False)])
def test_it_takes_github_and_a_backend_to_make_one(db: Session, github: bool, backend: bool) -> None:
    user = f.UserFactory()
    if github:
        f.GithubIdentityFactory(user=user)
    if backend:
        f.BackendMembershipFactory(user=user)
    with pytest.raises(NotEligible):
        actions.create_token(db, sessions.identity_of(db, user.id), KEY)
    assert user.login_token is None


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def context(settings: Settings, session_factory: sessionmaker[Session], outbox: Outbox) -> Context:
    return outbox.context(settings, session_factory)


@pytest.mark.parametrize(
    ("task", "arguments", "words"),
    [
        (
            "mail_level4_token_created",
            {},
            ["At 14:32 on 17 November 2026 (GMT) a Level 4 token", "until 15:32"],
        ),
        ("mail_level4_token_used", {"backend": "TPP & Co"}, ["signed in to Level 4 on TPP & Co as ada"]),
        ("mail_level4_token_void", {"backend": "TPP"}, ["5 wrong tokens on TPP", "/settings/level-4/"]),
    ],
)
def test_the_mails_say_what_happened_where_and_when(
    db: Session, context: Context, outbox: Outbox, task: str, arguments: dict[str, str], words: list[str]
) -> None:
    user = someone(db, username="ada", fullname="Ada <b>", email="ada@example.org")
    deliver = DELIVERIES[next(each for each in DELIVERIES if each == task)]
    deliver(context, user_id=user.id, at="2026-11-17T14:32:00+00:00", **arguments)
    (message,) = outbox.messages
    assert (message.to, message.reply_to) == ("ada@example.org", "OpenSAFELY Team <team@opensafely.org>")
    for each in (*words, "Hello Ada <b>,"):
        assert each in message.text
    assert "Hello Ada &lt;b&gt;," in message.html


def test_who_has_no_email_address_gets_no_mail_and_nobody_is_an_error(
    db: Session, context: Context, outbox: Outbox
) -> None:
    user = someone(db, email=None)
    level4_mails.mail_token_created(context, user_id=user.id, at=utcnow().isoformat())
    assert outbox.messages == []
    with pytest.raises(GiveUp):
        level4_mails.mail_token_created(context, user_id=0, at=utcnow().isoformat())


def test_the_worker_clears_expired_tokens_away(db: Session, context: Context) -> None:
    late, good = someone(db), someone(db)
    for user, minutes in ((late, -1), (good, 1)):
        user.login_token = level4.hashed("river pepper lantern", KEY)
        user.login_token_expires_at = utcnow() + timedelta(minutes=minutes)
    db.commit()

    def is_cleared() -> bool:
        db.rollback()
        db.expire_all()
        return late.login_token is None

    with in_background(worker.run, context):
        eventually(is_cleared)
    assert good.login_token is not None
