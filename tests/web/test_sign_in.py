"""Signing in with GitHub, giving a name, signing out (spec: access 4.1-4.3, 8.1)."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session
from webtest import TestResponse

from jobserver import make_app
from jobserver.actions import closing
from jobserver.models import AuditableEvent, GithubIdentity, User, UserSession, utcnow
from jobserver.security import tokens
from tests import factories as f
from tests.conftest import make_settings
from tests.web import github_journey as journey
from tests.web.conftest import Browser
from tests.web.github_journey import ScriptedGithub


@pytest.fixture(scope="module")
def github() -> Iterator[ScriptedGithub]:
    with journey.scripted_github() as running:
        yield running


@pytest.fixture(scope="module")
def scripted_app(github: ScriptedGithub, postgres: str, engine: Engine) -> Any:
    settings = make_settings(postgres, github_url=github.url, github_api_url=github.url)
    return make_app(settings, engine=engine)


@pytest.fixture
def scripted_web(scripted_app: Any, github: ScriptedGithub, db: Session) -> Browser:
    """A browser on an application whose GitHub says what the test wants."""
    github.be_well()
    return Browser(scripted_app)


def come_back(web: Browser, next_page: str = "/", **options: Any) -> TestResponse:
    """Through the scripted GitHub, which needs no approval."""
    state = journey.query(journey.depart(web, next_page))["state"]
    return web.get(f"/complete/github/?code=abc&state={state}", **options)


def give_name(web: Browser, name: str, status: int) -> TestResponse:
    """Fill in the form that asks for a name."""
    web.get("/enter-your-name/")
    return web.submit("/enter-your-name/", {"name": name}, status=status)


def how_many(db: Session, model: Any) -> int:
    db.rollback()
    return db.scalar(select(func.count()).select_from(model)) or 0


def queued(db: Session) -> list[str]:
    db.rollback()
    return list(db.scalars(text("SELECT task_name FROM procrastinate_jobs")))


# The sign-in page


def test_the_sign_in_page_has_one_button_that_keeps_the_destination(web: Browser) -> None:
    page = web.get("/login/?next=/status/%3Fq%3D1")
    (form,) = [each for each in page.forms.values() if "next" in each.fields]
    assert form.action == "/login/github/"
    assert form["next"].value == "/status/?q=1"
    assert "Sign in with GitHub" in page


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "///evil.example", "/login/?next=/x/", "/logout/"]
)
def test_an_unsafe_destination_is_forgotten(web: Browser, wanted: str) -> None:
    page = web.get("/login/", {"next": wanted})
    assert 'name="next" value="/"' in page
    web.sign_in(f.UserFactory())
    assert web.get("/login/", {"next": wanted}, status=303).location == "http://localhost/"


def test_whoever_is_signed_in_goes_on_at_once(web: Browser) -> None:
    web.sign_in(f.UserFactory())
    assert web.get("/login/?next=/status/", status=303).location == "http://localhost/status/"
    answer = web.post("/login/github/", {"next": "/status/"}, status=303)
    assert answer.location == "http://localhost/status/"


@pytest.mark.parametrize("path", ["/login/", "/login/?next=/x/"])
def test_the_page_is_kept_by_no_cache(web: Browser, path: str) -> None:
    assert "no-store" in web.get(path).headers["Cache-Control"]


def test_the_page_asks_the_database_hardly_anything(
    web: Browser, count_statements: Callable[[], Any]
) -> None:
    with count_statements() as sent:
        web.get("/login/")
    assert len(sent) <= 3


# Off to GitHub


def test_the_button_leads_to_github_with_state_and_challenge(world_web: Browser, world: Any) -> None:
    answer = world_web.post("/login/github/", {"next": "/status/"}, status=303)
    assert answer.location.startswith(f"{world.github_url}/login/oauth/authorize?")
    asked = journey.query(answer.location)
    kept = journey.carried(world_web)["sign_in"]
    assert asked["client_id"] == world.oauth_client.id
    assert asked["redirect_uri"] == "http://localhost/complete/github/"
    assert asked["scope"] == "user:email"
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["state"] == kept["state"]
    assert kept["verifier"] not in answer.location
    assert kept["next"] == "/status/"
    assert "no-store" in answer.headers["Cache-Control"]


def test_every_departure_has_its_own_state_and_challenge(world_web: Browser) -> None:
    first, second = (journey.query(journey.depart(world_web)) for _ in range(2))
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_signing_in_cannot_begin_with_a_link(web: Browser, method: str) -> None:
    answer = getattr(web, method)("/login/github/", status=405)
    assert answer.headers["Allow"] == "POST"
    assert web.post("/login/", status=405).headers["Allow"] == "GET"


@pytest.mark.parametrize("path", ["/login/gitlab/", "/login/github/more/", "/complete/", "/complete/gitlab/"])
def test_there_is_no_other_way_in(web: Browser, path: str) -> None:
    web.get(path, status=404)
    web.post(path, status=[400, 404, 405])


# Back from GitHub


def test_a_newcomer_gets_an_account_and_a_session(world_web: Browser, db: Session) -> None:
    answer = journey.sign_in(world_web, "newcomer", "/status/?a=1", status=303)
    assert answer.location == "http://localhost/status/?a=1"
    assert "no-store" in answer.headers["Cache-Control"]
    user = db.scalars(select(User)).one()
    assert (user.username, user.fullname) == ("newcomer", "Nina Okoro")
    assert user.email == "nina.okoro@elsewhere.example"
    assert user.roles == []
    assert user.last_login is not None
    identity = db.scalars(select(GithubIdentity)).one()
    assert (identity.user_id, identity.uid, identity.login) == (user.id, "1004", "newcomer")
    assert set(identity.extra_data) == {"id", "login", "auth_time"}
    assert queued(db) == ["announce_new_user"]
    assert journey.is_signed_in(world_web)


def test_the_session_cookie_is_for_this_site_and_its_server_only(world_web: Browser) -> None:
    answer = journey.sign_in(world_web, "newcomer")
    (cookie,) = [each for each in answer.headers.getall("Set-Cookie") if each.startswith("sessionid=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=1209600" in cookie
    assert "Domain" not in cookie


def test_somebody_known_signs_in_to_the_same_account(world_web: Browser, db: Session) -> None:
    """Known by GitHub's id: names may have changed on either side."""
    user = f.UserFactory(username="old-name", email="old@example.com")
    f.GithubIdentityFactory(user=user, uid="1004", login="old-name")
    journey.sign_in(world_web, "newcomer", status=303)
    assert how_many(db, User) == 1
    assert db.scalars(select(GithubIdentity)).one().login == "newcomer"
    assert queued(db) == []
    assert "old-name" in world_web.get("/404", status=404)


def test_the_username_alone_opens_nobodys_account(world_web: Browser, db: Session) -> None:
    """Access 8.1.1: a freed GitHub login, a bot's name, a name from the command line."""
    f.UserFactory(username="Newcomer", roles=["StaffAreaAdministrator"])
    answer = journey.sign_in(world_web, "newcomer", status=409)
    assert "That username has an account already" in answer
    assert "tech@opensafely.org" in answer
    assert "no-store" in answer.headers["Cache-Control"]
    assert (how_many(db, User), how_many(db, GithubIdentity), how_many(db, UserSession)) == (1, 0, 0)
    assert not journey.is_signed_in(world_web)


def test_the_email_alone_opens_nobodys_account(world_web: Browser, db: Session) -> None:
    f.UserFactory(email="Nina.Okoro@elsewhere.example")
    answer = journey.sign_in(world_web, "newcomer", status=409)
    assert "That email address has an account already" in answer
    assert (how_many(db, User), how_many(db, GithubIdentity), how_many(db, AuditableEvent)) == (1, 0, 0)


def test_a_closed_account_cannot_be_used(world_web: Browser, db: Session) -> None:
    user = f.UserFactory(disabled_at=utcnow(), disabled_by_id=f.UserFactory().id)
    f.GithubIdentityFactory(user=user, uid="1004")
    answer = journey.sign_in(world_web, "newcomer", status=403)
    assert "Your account is closed" in answer
    assert how_many(db, UserSession) == 0


def test_closing_an_account_ends_its_session(world_web: Browser, db: Session) -> None:
    journey.sign_in(world_web, "newcomer")
    assert journey.is_signed_in(world_web)
    user = db.scalars(select(User)).one()
    closing.disable(db, user, by=f.UserFactory())
    db.commit()
    assert not journey.is_signed_in(world_web)
    assert how_many(db, UserSession) == 0


def test_a_session_ends_at_its_time(world_web: Browser, db: Session) -> None:
    journey.sign_in(world_web, "newcomer")
    kept = db.scalars(select(UserSession)).one()
    kept.expires_at = utcnow() - timedelta(seconds=1)
    db.commit()
    assert not journey.is_signed_in(world_web)


def test_coming_back_while_signed_in_changes_nothing(world_web: Browser, db: Session) -> None:
    """Access 8.1.7: neither a second account nor another person's session."""
    back = journey.approve(journey.depart(world_web), "newcomer")
    user = f.UserFactory()
    journey.replace_cookie(world_web, "sessionid", f.session_cookie(user)["sessionid"])
    answer = world_web.get(back, status=409)
    assert "You are signed in already" in answer
    assert user.username in answer
    assert how_many(db, User) == 1
    assert journey.is_signed_in(world_web)


@pytest.mark.parametrize(
    "emails",
    [
        [],
        [{"email": "a@example.org", "primary": True, "verified": False}],
        [{"email": "a@example.org", "primary": False, "verified": True}],
        [
            {"email": "a@example.org", "primary": False, "verified": True},
            {"email": "b@example.org", "primary": True, "verified": False},
        ],
        [{"email": "not an address", "primary": True, "verified": True}],
    ],
)
def test_an_account_needs_a_verified_primary_email(
    scripted_web: Browser, github: ScriptedGithub, db: Session, emails: Any
) -> None:
    github.answers["/user/emails"] = emails
    github.answers["/user"]["email"] = "public@example.org"
    answer = come_back(scripted_web, status=403)
    assert "GitHub has not verified your email address" in answer
    assert how_many(db, User) == 0


def test_somebody_known_needs_no_email(scripted_web: Browser, github: ScriptedGithub) -> None:
    f.GithubIdentityFactory(uid="42")
    github.answers["/user/emails"] = []
    come_back(scripted_web, status=303)
    assert journey.is_signed_in(scripted_web)


def test_the_email_is_kept_in_lower_case(scripted_web: Browser, db: Session) -> None:
    come_back(scripted_web, status=303)
    assert db.scalars(select(User.email)).one() == "ada@example.org"


def test_github_is_asked_with_the_token_and_no_transaction_open(
    world_web: Browser, world: Any, engine: Engine, db: Session
) -> None:
    back = journey.approve(journey.depart(world_web), "newcomer")
    journey.replace_cookie(world_web, "sessionid", "one-that-is-over")
    db.rollback()
    world.control(fault={"service": "github", "kind": "slow", "seconds": 3, "path": "/api/github/user"})
    answers: list[TestResponse] = []
    visit = threading.Thread(target=lambda: answers.append(world_web.get(back, status=303)))
    visit.start()
    time.sleep(1.5)
    assert visit.is_alive()
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    visit.join(timeout=10)
    assert answers


def test_the_token_is_neither_kept_nor_logged(
    scripted_web: Browser,
    github: ScriptedGithub,
    db: Session,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    github.answers["/user"]["name"] = None
    come_back(scripted_web, status=303)
    assert "gho_secret" not in str(journey.carried(scripted_web))
    github.answers["/user"] = (401, {"message": "Bad credentials gho_secret"})
    answer = come_back(scripted_web, status=502)
    written = caplog.text + "".join(capfd.readouterr()) + answer.text
    assert "status 401" in written
    assert "gho_secret" not in written
    assert "client-secret" not in written
    assert any(headers.get("Authorization") == "Bearer gho_secret" for _, headers, _ in github.asked)


# The name


def test_who_has_no_name_at_github_is_asked_for_one(world_web: Browser, db: Session) -> None:
    answer = journey.sign_in(world_web, "nameless", "/status/", status=303)
    assert answer.location == "http://localhost/enter-your-name/"
    assert how_many(db, User) == 0
    kept = journey.carried(world_web)["registration"]
    assert set(kept) == {"uid", "login", "email", "next", "until"}
    assert "no-store" in world_web.get("/enter-your-name/").headers["Cache-Control"]
    answer = give_name(world_web, "  Zoë   Q.  ", status=303)
    assert answer.location == "http://localhost/status/"
    assert db.scalars(select(User.fullname)).one() == "Zoë Q."
    assert journey.is_signed_in(world_web)
    assert "registration" not in journey.carried(world_web)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Enter your name."),
        ("  \t ", "Enter your name."),
        ("\u200b", "at least one visible character"),
        ("a\x00b", "no control characters"),
        ("x" * 201, "200 characters or fewer"),
    ],
)
def test_a_name_that_is_none_is_asked_for_again(
    world_web: Browser, db: Session, name: str, message: str
) -> None:
    journey.sign_in(world_web, "nameless")
    page = give_name(world_web, name, status=200)
    assert message in page
    assert "<title>Error: Enter your name" in page
    assert how_many(db, User) == 0


def test_a_name_may_have_200_characters(world_web: Browser) -> None:
    journey.sign_in(world_web, "nameless")
    give_name(world_web, "é" * 200, status=303)


@pytest.mark.parametrize("name", [None, "", "   ", "\u200b", "x" * 300])
def test_a_name_at_github_that_cannot_be_shown_counts_as_none(
    scripted_web: Browser, github: ScriptedGithub, name: str | None
) -> None:
    github.answers["/user"]["name"] = name
    assert come_back(scripted_web, status=303).location == "http://localhost/enter-your-name/"


def test_nobody_is_asked_for_a_name_without_coming_from_github(web: Browser, db: Session) -> None:
    assert web.get("/enter-your-name/", status=303).location == "http://localhost/"
    web.get("/login/")
    assert web.submit("/enter-your-name/", {"name": "Eve"}, status=303).location == "http://localhost/"
    assert how_many(db, User) == 0


def test_an_unfinished_registration_is_over_after_an_hour(web: Browser, db: Session) -> None:
    kept = {"uid": "7", "login": "eve", "email": "eve@example.org", "next": "/"}
    journey.carry(web, registration={**kept, "until": int(time.time()) + 5})
    web.get("/enter-your-name/", status=200)
    journey.carry(web, registration={**kept, "until": int(time.time()) - 1})
    assert web.submit("/enter-your-name/", {"name": "Eve"}, status=303).location == "http://localhost/"
    assert how_many(db, User) == 0


def test_giving_a_name_needs_the_forms_token(world_web: Browser, db: Session) -> None:
    journey.sign_in(world_web, "nameless")
    world_web.post("/enter-your-name/", {"name": "Eve"}, status=400)
    assert how_many(db, User) == 0


def test_a_copy_of_the_registration_opens_no_door_later(world_web: Browser, db: Session) -> None:
    journey.sign_in(world_web, "nameless")
    copy = journey.carried(world_web)
    give_name(world_web, "Zoë", status=303)
    world_web.submit("/logout/", status=303)
    journey.carry(world_web, **copy)
    answer = give_name(world_web, "Zoë", status=400)
    assert "did not begin in this browser" in answer
    assert not journey.is_signed_in(world_web)


def test_a_name_given_too_late_meets_the_same_refusals(world_web: Browser, db: Session) -> None:
    journey.sign_in(world_web, "nameless")
    f.UserFactory(username="nameless")
    answer = give_name(world_web, "Zoë", status=409)
    assert "That username has an account already" in answer
    assert how_many(db, User) == 1


# Signing out


def test_signing_out_ends_the_session_and_takes_the_cookie(world_web: Browser, db: Session) -> None:
    journey.sign_in(world_web, "newcomer")
    cookie = world_web.cookies["sessionid"]
    answer = world_web.submit("/logout/", {"next": "/status/"}, status=303)
    assert answer.location == "http://localhost/status/"
    assert "no-store" in answer.headers["Cache-Control"]
    assert any("sessionid=;" in each for each in answer.headers.getall("Set-Cookie"))
    assert how_many(db, UserSession) == 0
    journey.replace_cookie(world_web, "sessionid", cookie)
    assert not journey.is_signed_in(world_web)


def test_signing_out_here_leaves_other_browsers_alone(world_web: Browser, db: Session) -> None:
    journey.sign_in(world_web, "newcomer")
    other = f.session_cookie(db.scalars(select(User)).one())["sessionid"]
    world_web.submit("/logout/", status=303)
    assert db.scalars(select(UserSession.digest)).one() == tokens.digest(other)


@pytest.mark.parametrize("wanted", ["https://evil.example/", "///evil.example", "/\\evil.example", ""])
def test_signing_out_leads_nowhere_else(web: Browser, wanted: str) -> None:
    web.sign_in(f.UserFactory())
    assert web.submit("/logout/", {"next": wanted}, status=303).location == "http://localhost/"


def test_signing_out_takes_a_form_with_its_token(web: Browser, db: Session) -> None:
    web.sign_in(f.UserFactory())
    web.get("/logout/", status=405)
    web.post("/logout/", status=400)
    assert how_many(db, UserSession) == 1


def test_whoever_is_not_signed_in_may_sign_out(web: Browser) -> None:
    web.get("/login/")
    assert web.submit("/logout/", status=303).location == "http://localhost/"
