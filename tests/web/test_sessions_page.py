"""Where somebody is signed in, and ending it (spec: access 8.1.8)."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, User, UserSession, utcnow
from jobserver.security import sessions, tokens
from tests import factories as f
from tests.web import github_journey as journey
from tests.web.conftest import Browser

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
)


@pytest.fixture
def me(web: Browser) -> User:
    user: User = f.UserFactory(username="ada")
    web.sign_in(user)
    return user


def elsewhere(db: Session, user: User, agent: str = FIREFOX, address: str = "10.1.2.3") -> str:
    """Sign in in another browser; the cookie's value."""
    token = sessions.start(db, user, user_agent=agent, address=address)
    db.commit()
    return token


def id_of(db: Session, token: str) -> int | None:
    db.rollback()
    return db.scalar(select(UserSession.id).where(UserSession.digest == tokens.digest(token)))


def events(db: Session) -> list[tuple[str, str, str]]:
    db.rollback()
    rows = db.scalars(select(AuditableEvent).where(AuditableEvent.type == "user_session_ended"))
    return [(row.old, row.created_by, row.target_user) for row in rows]


def test_the_list_says_which_browser_where_and_since_when(web: Browser, me: User, db: Session) -> None:
    elsewhere(db, me)
    elsewhere(db, me, agent=IPHONE, address="")
    elsewhere(db, f.UserFactory(), address="192.0.2.66")
    rows = web.get("/settings/sessions/").html.find("table").find("tbody").find_all("tr")
    texts = [row.get_text(" ", strip=True) for row in rows]
    assert len(texts) == 3
    assert "This one" in texts[0]
    assert texts[1].startswith("Safari on iPhone not known just now")
    assert re.match(r"Firefox on Linux 10\.1\.2\.3 just now \d+ [A-Z][a-z]+ \d{4} End the session", texts[2])
    assert rows[0].find("form")["action"] == "/logout/"


def test_a_session_that_is_over_is_not_listed(web: Browser, me: User, db: Session) -> None:
    token = elsewhere(db, me)
    row = db.scalars(select(UserSession).where(UserSession.digest == tokens.digest(token))).one()
    row.expires_at = utcnow() - timedelta(seconds=1)
    db.commit()
    page = web.get("/settings/sessions/")
    assert "10.1.2.3" not in page
    assert "End all others" not in page


def test_one_session_is_ended_at_once(web: Browser, me: User, db: Session) -> None:
    token, kept = elsewhere(db, me), elsewhere(db, me, agent=IPHONE)
    answer = web.submit("/settings/end-session/", {"session": str(id_of(db, token))}, status=303)
    assert answer.location == "http://localhost/settings/sessions/"
    assert "Firefox on Linux is signed out." in answer.follow()
    assert id_of(db, token) is None
    assert id_of(db, kept) is not None
    assert events(db) == [("Firefox on Linux, 10.1.2.3", "ada", "ada")]
    other = Browser(web.app)
    other.set_cookie("sessionid", token)
    other.get("/settings/", status=303)


def test_all_others_are_ended_and_this_one_stays(web: Browser, me: User, db: Session) -> None:
    stranger = elsewhere(db, f.UserFactory())
    mine = [elsewhere(db, me) for _ in range(3)]
    page = web.get("/settings/sessions/")
    (form,) = [each for each in page.forms.values() if each.action == "/settings/end-other-sessions/"]
    after = form.submit(status=303).follow()
    assert "3 other browsers are signed out." in after
    assert [id_of(db, token) for token in mine] == [None] * 3
    assert id_of(db, stranger) is not None
    assert events(db) == [("all others (3)", "ada", "ada")]
    again = web.submit("/settings/end-other-sessions/").follow()
    assert "You were signed in nowhere else." in again
    assert len(events(db)) == 1


@pytest.mark.parametrize("session", ["", "0", "-1", "x", "99999", "99999999999999999999", "\x00", "1 or 1=1"])
def test_a_session_that_is_not_there_is_a_404(web: Browser, me: User, session: str) -> None:
    web.submit("/settings/end-session/", {"session": session}, status=404)


def test_the_session_of_somebody_else_is_a_404_and_goes_on(web: Browser, me: User, db: Session) -> None:
    token = elsewhere(db, f.UserFactory(roles=["StaffAreaAdministrator"]))
    web.submit("/settings/end-session/", {"session": str(id_of(db, token))}, status=404)
    assert id_of(db, token) is not None
    assert events(db) == []


def test_ending_this_one_signs_out(web: Browser, me: User, db: Session) -> None:
    this = id_of(db, web.cookies["sessionid"].strip('"'))
    answer = web.submit("/settings/end-session/", {"session": str(this)}, status=303)
    assert answer.location == "http://localhost/"
    assert "sessionid=; Max-Age=0" in answer.headers["Set-Cookie"]
    web.get("/settings/", status=303)
    assert len(events(db)) == 1


def test_ending_needs_the_forms_token_and_an_account(web: Browser, me: User, db: Session) -> None:
    token = elsewhere(db, me)
    fields = {"session": str(id_of(db, token))}
    web.post("/settings/end-session/", fields, status=400)
    web.post("/settings/end-other-sessions/", {}, status=400)
    web.reset()
    web.submit("/settings/end-session/", fields, status=303)
    web.submit("/settings/end-other-sessions/", status=303)
    assert id_of(db, token) is not None


def test_what_a_browser_says_of_itself_is_never_shown_as_markup(web: Browser, me: User, db: Session) -> None:
    elsewhere(db, me, agent="<script>alert(1)</script> Firefox/1", address="<b>")
    page = web.get("/settings/sessions/")
    assert "<script>alert" not in page
    assert page.html.find("td", string="<b>") is not None


@pytest.mark.parametrize(("roles", "hours"), [(["StaffAreaAdministrator"], 12), ([], 14 * 24)])
def test_the_cookie_ends_when_the_session_does(
    world_web: Browser, db: Session, roles: list[str], hours: int
) -> None:
    """Access 8.1.8: sooner for those who run the staff area."""
    f.GithubIdentityFactory(uid="1004", user=f.UserFactory(roles=roles))
    answer = journey.sign_in(world_web, "newcomer", status=303)
    (cookie,) = [each for each in answer.headers.getall("Set-Cookie") if each.startswith("sessionid=")]
    assert f"Max-Age={hours * 3600};" in cookie
    db.rollback()
    row = db.scalars(select(UserSession)).one()
    assert row.expires_at - row.created_at == timedelta(hours=hours)
