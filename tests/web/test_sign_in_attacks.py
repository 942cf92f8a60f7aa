"""What can go wrong, or be tried, between this site and GitHub: nothing is ever made, nobody signed in."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.clients.transport import Limits
from jobserver.models import GithubIdentity, User, UserSession
from jobserver.security.github import CodeRefused, GithubSignIn, GithubUnavailable
from tests import factories as f
from tests.conftest import make_settings
from tests.web import github_journey as journey
from tests.web.conftest import Browser
from tests.web.github_journey import ScriptedGithub


@pytest.fixture(scope="module")
def github() -> Iterator[ScriptedGithub]:
    with journey.scripted_github() as running:
        yield running


@pytest.fixture
def place(github: ScriptedGithub, postgres: str) -> GithubSignIn:
    """Signing in at a GitHub that says what the test wants."""
    github.be_well()
    settings = make_settings(postgres, github_url=github.url, github_api_url=github.url)
    return GithubSignIn.from_settings(settings, "/complete/github/")


@pytest.fixture
def nothing_happens(world_web: Browser, db: Session) -> Iterator[None]:
    """After the test nobody is signed in and nothing is in the database."""
    yield
    db.rollback()
    for model in (User, GithubIdentity, UserSession):
        assert db.scalar(select(func.count()).select_from(model)) == 0
    assert not journey.is_signed_in(world_web)


# State, code, verifier


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("state", [None, "", "wrong", "é", "\x00"])
def test_a_wrong_or_missing_state_is_refused(world_web: Browser, world: Any, state: str | None) -> None:
    back = journey.approve(journey.depart(world_web), "newcomer")
    world.control(clear=["requests"])
    page = world_web.get(journey.with_query(back, state=state), status=400)
    assert "did not begin in this browser" in page
    assert "Sign in with GitHub" in page
    assert "no-store" in page.headers["Cache-Control"]
    assert world.requests("oauth") == []


@pytest.mark.usefixtures("nothing_happens")
def test_a_state_that_is_not_utf8_is_a_bad_request(world_web: Browser) -> None:
    journey.depart(world_web)
    world_web.get("/complete/github/?code=a&state=%ff", status=400)


@pytest.mark.usefixtures("nothing_happens")
def test_a_state_is_good_for_one_try(world_web: Browser) -> None:
    back = journey.approve(journey.depart(world_web), "newcomer")
    world_web.get(journey.with_query(back, state="wrong"), status=400)
    world_web.get(back, status=400)


@pytest.mark.usefixtures("nothing_happens")
def test_somebody_elses_sign_in_is_not_taken_over(world_web: Browser, world_app: Any) -> None:
    """Login forgery: the attacker's code and state, brought to another browser by a link."""
    attacker = Browser(world_app)
    back = journey.approve(journey.depart(attacker), "newcomer")
    world_web.get(back, status=400)
    journey.depart(world_web)
    world_web.get(back, status=400)


@pytest.mark.usefixtures("nothing_happens")
def test_a_code_for_another_verifier_is_refused(world_web: Browser, world_app: Any) -> None:
    """A stolen code put into one's own sign-in: PKCE at work."""
    victim = Browser(world_app)
    code = journey.query(journey.approve(journey.depart(victim), "newcomer"))["code"]
    own = journey.approve(journey.depart(world_web), "other-researcher")
    page = world_web.get(journey.with_query(own, code=code), status=400)
    assert "GitHub did not accept the sign-in." in page


def test_a_used_code_is_refused_even_with_its_cookie(world_web: Browser, db: Session) -> None:
    back = journey.approve(journey.depart(world_web, "/status/"), "newcomer")
    kept = journey.carried(world_web)
    world_web.get(back, status=303)
    world_web.submit("/logout/", status=303)
    world_web.get(back, status=400)
    journey.carry(world_web, **kept)
    page = world_web.get(back, status=400)
    assert "GitHub did not accept the sign-in." in page
    assert 'name="next" value="/status/"' in page
    assert not journey.is_signed_in(world_web)


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("code", [None, "", "made up", "x" * 3000, "é&client_secret=a"])
def test_a_made_up_code_is_refused(world_web: Browser, code: str | None) -> None:
    back = journey.approve(journey.depart(world_web), "newcomer")
    world_web.get(journey.with_query(back, code=code), status=400)


@pytest.mark.usefixtures("nothing_happens")
def test_a_sign_in_that_took_more_than_an_hour_is_over(world_web: Browser) -> None:
    back = journey.approve(journey.depart(world_web), "newcomer")
    kept = journey.carried(world_web)["sign_in"]
    journey.carry(world_web, sign_in={**kept, "until": int(time.time()) - 1})
    world_web.get(back, status=400)


@pytest.mark.usefixtures("nothing_happens")
def test_a_cookie_that_was_tampered_with_counts_for_nothing(world_web: Browser) -> None:
    back = journey.approve(journey.depart(world_web), "newcomer")
    value = world_web.cookies["carry"].strip('"')
    journey.replace_cookie(world_web, "carry", value[:-6] + "AAAAAA")
    world_web.get(back, status=400)


# The session


def test_nothing_from_before_the_sign_in_is_kept(world_web: Browser, db: Session) -> None:
    """Session fixation: cookies that an attacker may have planted, and knows."""
    planted = f.session_cookie(f.UserFactory())["sessionid"]
    for kept in db.scalars(select(UserSession)):
        kept.expires_at = kept.created_at
    db.commit()
    world_web.get("/login/")
    token_before = world_web.cookies["csrftoken"]
    journey.replace_cookie(world_web, "sessionid", planted)
    journey.sign_in(world_web, "newcomer", status=303)
    assert world_web.cookies["sessionid"] != planted
    assert world_web.cookies["csrftoken"] != token_before
    assert journey.carried(world_web) == {}
    db.rollback()
    # The planted session's row is gone, the new one's is another person's.
    assert db.scalars(select(UserSession.user_id)).all() == [
        db.scalars(select(User.id).where(User.username == "newcomer")).one()
    ]


def test_every_sign_in_has_a_session_of_its_own(world_web: Browser) -> None:
    journey.sign_in(world_web, "newcomer")
    first = world_web.cookies["sessionid"]
    world_web.submit("/logout/")
    journey.sign_in(world_web, "newcomer")
    assert world_web.cookies["sessionid"] != first


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "/\t/evil", "x" * 5000],
)
def test_signing_in_leads_nowhere_else(world_web: Browser, wanted: str) -> None:
    answer = journey.sign_in(world_web, "newcomer", wanted, status=303)
    assert answer.location == "http://localhost/"


def test_a_planted_destination_in_the_way_back_counts_for_nothing(world_web: Browser) -> None:
    back = journey.approve(journey.depart(world_web, "/status/"), "newcomer")
    answer = world_web.get(f"{back}&next=https://evil.example/", status=303)
    assert answer.location == "http://localhost/status/"


def test_the_longest_destination_fits_the_cookie(world_web: Browser) -> None:
    wanted = "/status/?q=" + "&" * 1989
    answer = journey.sign_in(world_web, "newcomer", wanted, status=303)
    assert answer.location == f"http://localhost{wanted}"


# GitHub


@pytest.mark.usefixtures("nothing_happens")
def test_saying_no_at_github_leads_back_to_the_sign_in_page(world_web: Browser) -> None:
    state = journey.query(journey.depart(world_web, "/status/"))["state"]
    page = world_web.get(
        f"/complete/github/?error=access_denied&error_description=<b>raw&state={state}", status=200
    )
    assert "You did not sign in." in page
    assert "raw" not in page.html.main.text
    assert 'name="next" value="/status/"' in page


@pytest.mark.usefixtures("nothing_happens")
def test_an_error_at_github_is_told_in_our_words(world_web: Browser) -> None:
    state = journey.query(journey.depart(world_web))["state"]
    page = world_web.get(
        f"/complete/github/?error=application_suspended&error_description=raw&state={state}", status=502
    )
    assert "GitHub could not be reached" in page
    assert "raw" not in page.html.main.text


@pytest.mark.usefixtures("nothing_happens")
@pytest.mark.parametrize("service", ["oauth", "github"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "refuse"},
        {"kind": "drop"},
        {"kind": "truncated"},
        {"kind": "html"},
        {"kind": "rate_limit"},
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 404},
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
    ],
    ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}",
)
def test_a_fault_of_github_is_told_and_nothing_is_made(
    world_web: Browser, world: Any, service: str, fault: dict[str, Any]
) -> None:
    back = journey.approve(journey.depart(world_web, "/status/"), "newcomer")
    world.control(fault={"service": service, **fault})
    page = world_web.get(back, status=502)
    assert "GitHub could not be reached" in page
    assert 'role="alert"' in page
    assert 'name="next" value="/status/"' in page
    assert "no-store" in page.headers["Cache-Control"]
    for raw in ("Bad credentials", "Server Error", "Log in to the network", "rate limit"):
        assert raw not in page


def test_it_works_again_once_github_does(world_web: Browser, world: Any) -> None:
    world.control(
        fault={"service": "oauth", "kind": "status", "status": 503, "path": "/github/login/oauth/access"}
    )
    journey.sign_in(world_web, "newcomer", status=502)
    world.control(reset=True)
    journey.sign_in(world_web, "newcomer", status=303)
    assert journey.is_signed_in(world_web)


def test_a_silent_github_is_left_after_the_time_limit(world: Any, world_settings: Any) -> None:
    place = GithubSignIn.from_settings(world_settings, "/complete/github/")
    assert (place.limits.connect, place.limits.read) == (5, 10)
    place = replace(place, limits=Limits(connect=0.3, read=0.3))
    world.control(fault={"service": "oauth", "kind": "slow", "seconds": 5, "count": 1})
    begun = time.monotonic()
    with pytest.raises(GithubUnavailable, match="time limit"):
        place.person("code", "verifier")
    assert time.monotonic() - begun < 3
    world.control(reset=True)


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/login/oauth/access_token", []),
        ("/login/oauth/access_token", {}),
        ("/login/oauth/access_token", None),
        ("/login/oauth/access_token", DEEP),
        ("/login/oauth/access_token", {"access_token": None}),
        ("/login/oauth/access_token", {"access_token": "a\nb", "token_type": "bearer"}),
        ("/login/oauth/access_token", {"access_token": "a", "token_type": "odd"}),
        ("/login/oauth/access_token", {"access_token": "a", "token_type": "bearer", "expires_in": "soon"}),
        ("/login/oauth/access_token", {"access_token": "a", "token_type": "bearer", "expires_in": -9}),
        ("/login/oauth/access_token", {"access_token": "a", "token_type": "bearer", "expires_at": []}),
        ("/login/oauth/access_token", {"error": "incorrect_client_credentials", "error_description": "x"}),
        ("/login/oauth/access_token", {"error": {"a": 1}}),
        ("/login/oauth/access_token", {"error": ""}),
        ("/login/oauth/access_token", (302, b"")),
        ("/user", (302, b"")),
        ("/user", (304, b"")),
        ("/user", []),
        ("/user", "text"),
        ("/user", {}),
        ("/user", DEEP),
        ("/user", b"\xff\xfe"),
        ("/user", {"id": "42", "login": "ada"}),
        ("/user", {"id": True, "login": "ada"}),
        ("/user", {"id": -1, "login": "ada"}),
        ("/user", {"id": 4.5, "login": "ada"}),
        ("/user", {"id": None, "login": "ada"}),
        ("/user", {"id": 42, "login": None}),
        ("/user", {"id": 42, "login": "ada", "name": 7}),
        ("/user", b" " * 2_000_000),
        ("/user/emails", {}),
        ("/user/emails", None),
        ("/user/emails", ["a@example.org"]),
        ("/user/emails", [{}]),
        ("/user/emails", [{"email": 7, "primary": True, "verified": True}]),
        ("/user/emails", (403, {"message": "no"})),
    ],
)
def test_answers_of_an_odd_shape_are_githubs_fault(
    place: GithubSignIn, github: ScriptedGithub, path: str, answer: Any
) -> None:
    github.answers[path] = answer
    with pytest.raises(GithubUnavailable) as fault:
        place.person("code", "verifier")
    assert "gho_" not in fault.value.reason
    assert "/elsewhere" not in [asked for asked, _, _ in github.asked]


def test_what_github_says_is_read(place: GithubSignIn, github: ScriptedGithub) -> None:
    person = place.person("the code", "the verifier")
    assert (person.uid, person.login, person.name) == ("42", "ada", "Ada L")
    assert person.verified_email == "Ada@Example.org"
    path, headers, body = github.asked[0]
    assert path == "/login/oauth/access_token"
    assert "json" in headers["Accept"]
    for part in ("code=the+code", "code_verifier=the+verifier", "client_secret=client-secret", "grant_type="):
        assert part in body


def test_a_code_that_github_does_not_know_is_nobodys_fault(
    place: GithubSignIn, github: ScriptedGithub
) -> None:
    github.answers["/login/oauth/access_token"] = {"error": "bad_verification_code"}
    with pytest.raises(CodeRefused):
        place.person("code", "verifier")


def test_no_secret_is_in_the_words_for_programmers(place: GithubSignIn) -> None:
    departure = place.depart()
    assert "client-secret" not in repr(place)
    assert departure.verifier not in repr(departure)
    assert departure.state not in repr(departure)
