"""Signing in to Level 4 with a token (spec: airlock 3.2, 12; access 8.2)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from jobserver.actions import level4 as actions
from jobserver.models import User, utcnow
from jobserver.security import level4
from jobserver.security.callers import BackendCaller
from tests import factories as f
from tests.web.api.level4 import AUTHENTICATE, FAILED, TOKEN, Airlock
from tests.web.api.test_level4_answers import workspaces

REFUSED = {"detail": "The user or the token is wrong, or the token can no longer be used."}


def test_the_right_token_signs_in_once(airlock: Airlock) -> None:
    user = airlock.user(username="ada")
    assert airlock.sign_in("ada").json["username"] == "ada"
    assert airlock.sign_in("ada", status=403).json == REFUSED
    stored = airlock.reload(user)
    assert (stored.login_token, stored.login_token_expires_at) == (None, None)
    assert airlock.events() == [("level4_login", "ada", ""), (FAILED, "ada", "no token")]


def test_its_owner_is_told_once_by_the_worker(airlock: Airlock) -> None:
    user = airlock.user()
    airlock.sign_in(user.username)
    airlock.sign_in(user.username, status=403)
    ((name, arguments),) = airlock.tasks()
    assert (name, arguments["user_id"], arguments["backend"]) == ("mail_level4_token_used", user.id, "TPP")


@pytest.mark.parametrize(
    "typed", ["riverpepperlantern", "  river pepper   lantern ", "river\tpepper\nlantern\u00a0"]
)
def test_white_space_does_not_matter(airlock: Airlock, typed: str) -> None:
    airlock.user(username="ada")
    airlock.sign_in("ada", typed)


def test_upper_case_matters(airlock: Airlock) -> None:
    airlock.user(username="ada")
    airlock.sign_in("ada", "River Pepper Lantern", status=403)


def test_the_email_address_does_in_any_case_and_the_answer_has_the_username(airlock: Airlock) -> None:
    airlock.user(username="ada", email="ada@example.org")
    assert airlock.sign_in(" Ada@Example.ORG ").json["username"] == "ada"


def test_a_username_must_be_exact(airlock: Airlock) -> None:
    airlock.user(username="ada", email=None)
    airlock.sign_in("Ada", status=403)


def test_a_username_comes_before_somebody_elses_email_address(airlock: Airlock) -> None:
    airlock.user(username="zoe", email="ada")
    airlock.user(username="ada", email="a@example.org")
    assert airlock.sign_in("ada").json["username"] == "ada"


def _nobody(airlock: Airlock) -> str:
    return "nobody"


def _no_github(airlock: Airlock) -> str:
    user = f.UserFactory(username="plain")
    f.BackendMembershipFactory(backend=airlock.backend, user=user)
    airlock.give(user)
    return "plain"


def _elsewhere(airlock: Airlock) -> str:
    user = f.UserFactory(username="away")
    f.GithubIdentityFactory(user=user)
    f.BackendMembershipFactory(user=user)
    airlock.give(user)
    return "away"


def _disabled(airlock: Airlock) -> str:
    airlock.user(username="gone", disabled_at=utcnow(), disabled_by_id=f.UserFactory().id)
    return "gone"


def _no_token(airlock: Airlock) -> str:
    airlock.user(username="bare", token=None)
    return "bare"


def _expired(airlock: Airlock) -> str:
    airlock.user(username="late", lasts=timedelta(seconds=-1))
    return "late"


def _wrong(airlock: Airlock) -> str:
    airlock.user(username="fumble", token="other words here")
    return "fumble"


def _of_before(airlock: Airlock) -> str:
    """A hash of a kind that is no longer made."""
    user = airlock.user(username="old")
    user.login_token = "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA"
    airlock.db.commit()
    return "old"


FAILURES: dict[Callable[[Airlock], str], str] = {
    _nobody: "unknown user",
    _no_github: "no linked GitHub account",
    _elsewhere: "no access to this backend",
    _disabled: "disabled user",
    _no_token: "no token",
    _expired: "expired token",
    _wrong: "wrong token",
    _of_before: "wrong token",
}


def test_all_failures_look_alike_send_the_same_statements_and_are_noted(
    airlock: Airlock, count_statements: Callable[[], Any]
) -> None:
    wanted: list[str] | None = None
    for make, reason in FAILURES.items():
        name = make(airlock)
        with count_statements() as sent, capture_logs() as logs:
            answer = airlock.sign_in(name, status=403)
        assert answer.json == REFUSED
        assert answer.body == b'{"detail":"%s"}' % REFUSED["detail"].encode()
        assert list(sent) == (wanted := wanted or list(sent)), reason
        assert len(sent) <= 6
        noted = next(each for each in logs if each["event"] == FAILED)
        assert noted["reason"] == reason
        known = "" if make is _nobody else name
        assert airlock.events()[-1] == (FAILED, known, reason)
        assert airlock.tasks() == []


def test_a_token_that_expired_stays_until_it_is_cleared_away(airlock: Airlock) -> None:
    late, good = airlock.user(lasts=timedelta(seconds=-1)), airlock.user(username="ada")
    airlock.sign_in(late.username, status=403)
    assert airlock.reload(late).login_token is not None
    assert actions.clear_expired(airlock.db) == 1
    airlock.db.commit()
    stored = airlock.reload(late)
    assert (stored.login_token, stored.login_token_expires_at) == (None, None)
    airlock.sign_in(good.username)


def test_the_fifth_wrong_try_ends_the_token_and_its_owner_is_told_once(airlock: Airlock) -> None:
    user = airlock.user(username="ada")
    for _ in range(4):
        airlock.sign_in("ada", "not these words", status=403)
    assert airlock.reload(user).login_token is not None
    for _ in range(3):
        airlock.sign_in("ada", "not these words", status=403)
    assert airlock.reload(user).login_token is None
    airlock.sign_in("ada", status=403)
    ((name, arguments),) = airlock.tasks()
    assert (name, arguments["user_id"]) == ("mail_level4_token_void", user.id)
    reasons = [reason for type_, _, reason in airlock.events() if type_ == FAILED]
    assert reasons == ["wrong token"] * 5 + ["no token"] * 3
    assert [each for each in airlock.events() if each[0] != FAILED] == [("level4_token_voided", "ada", "")]


def test_four_wrong_tries_do_no_harm_and_a_new_token_begins_anew(airlock: Airlock) -> None:
    user = airlock.user(username="ada")
    for _ in range(2):
        for _ in range(4):
            airlock.sign_in("ada", "not these words", status=403)
        airlock.sign_in("ada")
        airlock.give(airlock.reload(user))


def test_tries_where_somebody_has_no_access_do_not_hurt_their_token(airlock: Airlock) -> None:
    name = _elsewhere(airlock)
    for _ in range(6):
        airlock.sign_in(name, "not these words", status=403)
    user = airlock.reload(airlock.db.query(User).filter_by(username=name).one())
    assert (user.login_token is not None, user.login_token_failures) == (True, 0)


def test_a_backend_with_50_failures_is_not_heard_for_15_minutes(airlock: Airlock) -> None:
    user = airlock.user(username="ada")
    caller = BackendCaller(airlock.backend.id, "tpp", "TPP")
    now = utcnow()
    for _ in range(50):
        actions.authenticate(airlock.db, caller, "nobody", TOKEN, ["key"], now=now)
    airlock.db.commit()
    with capture_logs() as logs:
        assert airlock.sign_in("ada", status=403).json == REFUSED
    assert logs[0]["reason"] == "too many failures of this backend"
    assert len(airlock.events()) == 50
    assert airlock.reload(user).login_token_failures == 0
    keys = [airlock.settings.secret_key]
    later = actions.authenticate(
        airlock.db, caller, "ada", TOKEN, keys, now=now + timedelta(minutes=15, seconds=1)
    )
    assert later is not None


def test_the_failures_of_one_backend_do_not_keep_out_another(airlock: Airlock) -> None:
    airlock.user(username="ada")
    other = f.BackendFactory()
    for _ in range(50):
        actions.authenticate(airlock.db, BackendCaller(other.id, "o", "O"), "nobody", TOKEN, ["key"])
    airlock.db.commit()
    airlock.sign_in("ada")


def test_a_token_of_the_key_before_still_works(airlock: Airlock) -> None:
    user = airlock.user(username="ada")
    user.login_token = level4.hashed(TOKEN, "the key before this one")
    airlock.db.commit()
    caller = BackendCaller(airlock.backend.id, "tpp", "TPP")
    keys = [airlock.settings.secret_key]
    assert actions.authenticate(airlock.db, caller, "ada", TOKEN, keys) is None
    assert actions.authenticate(airlock.db, caller, "ada", TOKEN, [*keys, "the key before this one"])


def test_the_token_is_kept_nowhere(airlock: Airlock, capfd: pytest.CaptureFixture[str]) -> None:
    user = airlock.user(username="ada")
    with capture_logs() as logs:
        airlock.sign_in("ada", "secret wrong words", status=403)
        airlock.sign_in(TOKEN, "ada", status=403)
        answer = airlock.sign_in("ada")
        body = f'{{"user": "ada", "token": "{TOKEN}"'
        broken = airlock.web.post(
            AUTHENTICATE,
            body,
            headers={"Authorization": airlock.secret, "Content-Type": "application/json"},
            status=400,
        )
    airlock.db.rollback()
    tables = ("auditable_event", "procrastinate_jobs", "procrastinate_events", '"user"')
    stored = [airlock.db.scalars(text(f"SELECT t::text FROM {table} t")).all() for table in tables]
    written = f"{stored}{logs}{answer.text}{answer.headers}{broken.text}{capfd.readouterr()}"
    for word in (*TOKEN.split(), "secret", "riverpepperlantern"):
        assert word not in written
    assert "ada" in written
    assert airlock.reload(user).login_token is None


def test_signing_in_takes_6_statements_however_much_there_is_to_see(
    airlock: Airlock, count_statements: Callable[[], Any]
) -> None:
    user = airlock.user(username="ada")
    workspaces(airlock, user, 2)
    with count_statements() as few:
        airlock.sign_in("ada")
    workspaces(airlock, user, 198)
    airlock.give(airlock.reload(user))
    with count_statements() as many:
        assert len(airlock.sign_in("ada").json["workspaces"]) == 200
    assert list(few) == list(many)
    # One more, with which the mail is asked for, goes another way than those counted.
    assert len(many) <= 5
