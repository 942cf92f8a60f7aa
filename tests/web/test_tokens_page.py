"""Tokens for programs, in the settings (spec: access 8.3; issue 5)."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver import models as m
from jobserver.actions import personal_tokens
from jobserver.models import utcnow
from jobserver.security import tokens
from tests import factories as f
from tests.web.conftest import Browser

TOKENS = "/settings/tokens/"
MADE = re.compile(r"<pre>(ann:[0-9a-f]{64}-\d{4}-\d\d-\d\d)</pre>")
FIELDS = [("name", "Nightly report"), ("scopes", "releases"), ("scopes", "job_requests"), ("days", "30")]


@pytest.fixture
def ann(web: Browser, db: Session) -> m.User:
    """Somebody who is signed in."""
    made: m.User = f.UserFactory(username="ann")
    web.sign_in(made)
    return made


def kept(db: Session) -> list[m.PersonalToken]:
    """All tokens, oldest first."""
    db.expire_all()
    return list(db.scalars(select(m.PersonalToken).order_by(m.PersonalToken.id)))


def events(db: Session) -> list[m.AuditableEvent]:
    """What was recorded, oldest first."""
    return list(db.scalars(select(m.AuditableEvent).order_by(m.AuditableEvent.id)))


def test_a_token_that_ends_soon_is_marked(web: Browser, db: Session, ann: m.User) -> None:
    for name, days in (("Far", 14.1), ("Near", 13.9), ("Over", -1)):
        now = utcnow()
        made = now - timedelta(days=30)
        f.personal_token(ann, name=name, created_at=made, expires_at=now + timedelta(days=days))
    rows = [row.text for row in web.get(TOKENS).html.select("tbody tr")]
    assert [("Near" in row, "Ends soon" in row) for row in rows] == [(True, True), (False, False)]


def test_a_token_is_made_and_shown_once(web: Browser, db: Session, ann: m.User) -> None:
    assert "You have no token that works" in web.get(TOKENS).text
    page = web.submit(TOKENS, FIELDS)
    [made] = MADE.findall(page.text)
    assert "no-store" in page.headers["Cache-Control"]
    secret = made.partition(":")[2]
    [token] = kept(db)
    assert (token.name, token.user_id, token.created_by_id) == ("Nightly report", ann.id, ann.id)
    assert token.scopes == ["job_requests", "releases"]
    assert token.digest == tokens.digest(secret)
    last_day = (utcnow() + timedelta(days=30)).date()
    assert token.expires_at == datetime.combine(last_day + timedelta(days=1), time(), UTC)
    assert secret.endswith(last_day.isoformat())
    [event] = events(db)
    assert (event.type, event.created_by, event.target_user) == ("personal_token_created", "ann", "ann")
    assert event.target_label == "Nightly report"
    assert event.changes["scopes"] == [None, "job_requests,releases"]
    assert secret not in str(vars(event))
    again = web.get(TOKENS).text
    assert "Nightly report" in again
    assert secret not in again
    assert token.digest not in again
    assert "Never" in again


def without(*names: str) -> list[tuple[str, str]]:
    """The form without these fields."""
    return [pair for pair in FIELDS if pair[0] not in names]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (without("name"), "Enter a name"),
        ([*without("name"), ("name", " \t ")], "Enter a name"),
        ([*without("name"), ("name", "x" * 101)], "100 characters or fewer"),
        (without("scopes"), "Tick at least one"),
        ([*without("scopes"), ("scopes", "everything")], "Choose among those"),
        ([*FIELDS, ("scopes", "staff")], "Choose among those"),
        (without("days"), "Enter how many days"),
        ([*without("days"), ("days", "0")], "from 1 to 365"),
        ([*without("days"), ("days", "366")], "from 1 to 365"),
        ([*without("days"), ("days", "-1")], "from 1 to 365"),
        ([*without("days"), ("days", "soon")], "Enter a whole number"),
        ([*without("days"), ("days", "9" * 40)], "from 1 to 365"),
    ],
)
def test_a_faulty_form_makes_nothing(
    web: Browser, db: Session, ann: m.User, fields: list[tuple[str, str]], words: str
) -> None:
    page = web.submit(TOKENS, fields)
    assert words in page.text
    assert not MADE.search(page.text)
    assert kept(db) == []
    assert events(db) == []


def test_nobody_has_more_than_they_can_tell_apart(web: Browser, db: Session, ann: m.User) -> None:
    for _ in range(personal_tokens.MOST_TOKENS - 1):
        f.personal_token(ann)
    f.personal_token(ann, expires_at=utcnow() - timedelta(days=1))
    f.personal_token(f.UserFactory())
    assert MADE.search(web.submit(TOKENS, FIELDS).text)
    assert "You have 20 tokens that work" in web.submit(TOKENS, FIELDS).text
    assert len(kept(db)) == personal_tokens.MOST_TOKENS + 2


def test_a_token_is_revoked_after_a_question(web: Browser, db: Session, ann: m.User) -> None:
    f.personal_token(ann, name="Old laptop")
    [token] = kept(db)
    page = web.get(TOKENS).text
    assert f'href="#revoke-{token.id}"' in page
    assert f'<dialog id="revoke-{token.id}"' in page
    answer = web.submit("/settings/revoke-token/", {"token": str(token.id)}, status=303).follow()
    assert "“Old laptop” no longer works" in answer.text
    assert "1 token that ended" in answer.text
    [token] = kept(db)
    assert (token.revoked_at is not None, token.revoked_by_id) == (True, ann.id)
    [event] = events(db)
    assert (event.type, event.created_by, event.target_label) == (
        "personal_token_revoked",
        "ann",
        "Old laptop",
    )
    again = web.submit("/settings/revoke-token/", {"token": str(token.id)}).follow()
    assert "had been revoked already" in again.text
    assert len(events(db)) == 1


def test_nobody_revokes_or_sees_somebody_elses(web: Browser, db: Session, ann: m.User) -> None:
    f.personal_token(f.UserFactory(), name="Not yours")
    [token] = kept(db)
    assert "Not yours" not in web.get(TOKENS).text
    for value in (str(token.id), "x", "", "-1", "9" * 30):
        web.submit("/settings/revoke-token/", {"token": value}, status=404)
    assert kept(db)[0].revoked_at is None


def test_who_is_not_signed_in_is_asked_to_do_so(web: Browser, db: Session) -> None:
    assert "/login/" in web.get(TOKENS, status=303).location
