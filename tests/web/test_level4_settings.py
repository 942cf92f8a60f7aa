"""The tab of the settings on which a Level 4 token is made (spec: airlock 3.1, access 4.6, pages 7)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, User, utcnow
from jobserver.security import level4
from jobserver.settings import Settings
from tests import factories as f
from tests.web.conftest import Browser

TAB = "/settings/level-4/"
MAKE = {"token": "new"}


@pytest.fixture
def me(web: Browser) -> User:
    user: User = f.UserFactory(username="ada", email="ada@example.org")
    f.GithubIdentityFactory(user=user)
    f.BackendMembershipFactory(user=user, backend=f.BackendFactory(slug="tpp", name="TPP"))
    web.sign_in(user)
    return user


def reload(db: Session, user: User) -> User:
    db.rollback()
    db.expire_all()
    return db.get_one(User, user.id)


def words(page: Any) -> str:
    return " ".join(page.html.find("main").text.split())


@pytest.mark.parametrize("address", [TAB, "/settings/"])
def test_a_token_is_made_and_shown_on_the_answer_only(
    web: Browser, me: User, db: Session, settings: Settings, address: str
) -> None:
    """POST /settings/ with a field token is today's address."""
    page = web.submit(address, MAKE, status=200)
    assert "no-store" in page.headers["Cache-Control"]
    token = page.html.find("pre").text
    assert re.fullmatch(r"[a-z-]+ [a-z-]+ [a-z-]+", token)
    assert page.html.find(attrs={"data-copy": token})
    assert page.html.title.text.startswith("Level 4 token – Settings")
    assert "sign in as ada with these three words" in words(page)
    user = reload(db, me)
    assert level4.matches(token, user.login_token, [settings.secret_key])
    stored = str(db.scalars(text('SELECT t::text FROM "user" t')).all()) + str(web.cookies)
    later = [web.get(address).text for address in (TAB, "/settings/", "/")]
    # One word alone may be on a page of its own right: "never" is one of the list's.
    first, second, third = token.split()
    for place in (stored, *later):
        assert not re.search(rf"{first}\W*{second}|{second}\W*{third}", place)


def test_making_another_replaces_the_first(web: Browser, me: User, db: Session, settings: Settings) -> None:
    first, second = (web.submit(TAB, MAKE).html.find("pre").text for _ in range(2))
    user = reload(db, me)
    assert level4.matches(second, user.login_token, [settings.secret_key])
    assert not level4.matches(first, user.login_token, [settings.secret_key])
    events = db.scalars(select(AuditableEvent.type)).all()
    assert events == ["level4_token_created"] * 2
    tasks = db.scalars(text("SELECT task_name FROM procrastinate_jobs")).all()
    assert tasks == ["mail_level4_token_created"] * 2


def test_the_tab_says_how_the_present_token_stands(web: Browser, me: User, db: Session) -> None:
    page = words(web.get(TAB))
    assert "You have no token that works." in page
    assert "It works on the backends that you have access to: TPP." in page
    stored = {"login_token": level4.hashed("river pepper lantern", "key")}
    for minutes, said in (
        (45, "You made a token 15 min ago. It works until"),
        (-5, "Your last token, made 1 hour ago, was not used within its hour and no longer works."),
    ):
        for name, value in {
            **stored,
            "login_token_expires_at": utcnow() + timedelta(minutes=minutes),
        }.items():
            setattr(me, name, value)
        db.commit()
        assert said in words(web.get(TAB))
    me.login_token = me.login_token_expires_at = None
    me.login_token_failures = 5
    db.commit()
    assert "5 wrong tokens were tried with your name" in words(web.get(TAB))
    web.submit(TAB, MAKE)
    assert "You made a token just now." in words(web.get(TAB))


@pytest.mark.parametrize(
    ("github", "backend", "missing"),
    [
        (False, True, ["A GitHub account that you sign in with."]),
        (True, False, ["Access to a backend."]),
        (False, False, ["Access to a backend.", "A GitHub account that you sign in with."]),
    ],
)
def test_who_cannot_have_one_is_told_why_and_whom_to_ask(
    web: Browser, db: Session, settings: Settings, github: bool, backend: bool, missing: list[str]
) -> None:
    user = f.UserFactory()
    if github:
        f.GithubIdentityFactory(user=user)
    if backend:
        f.BackendMembershipFactory(user=user)
    web.sign_in(user)
    page = web.get(TAB, status=200)
    note = page.html.find("h2", string=re.compile("cannot sign in to Level 4 yet")).find_parent(
        "div", class_="note"
    )
    assert [each.text for each in note.find_all("b") if each.text.endswith(".")] == missing
    assert note.find("a")["href"] == f"mailto:{settings.support_email}"
    assert page.html.find(attrs={"name": "token"}) is None
    for address in (TAB, "/settings/"):
        forced = web.submit(address, MAKE, status=200)
        assert "No token was made: your account cannot sign in to Level 4." in forced
        assert forced.html.find("pre") is None
    assert reload(db, user).login_token is None
    assert db.scalars(select(AuditableEvent)).all() == []


def test_a_form_without_the_button_or_without_its_forgery_token_makes_nothing(
    web: Browser, me: User, db: Session
) -> None:
    web.submit(TAB, {}, status=400)
    web.submit(TAB, {"token": "x", "more": "y"}, status=200)
    me.login_token = me.login_token_expires_at = None
    db.commit()
    for address in (TAB, "/settings/"):
        web.post(address, MAKE, status=400)
    web.get(f"{TAB}?token=new", status=200)
    assert reload(db, me).login_token is None


def test_somebody_who_is_not_signed_in_signs_in_first(web: Browser, db: Session) -> None:
    assert "/login/?next=" in web.get(TAB, status=303).location
    web.submit(TAB, MAKE, status="*")
    assert db.scalars(select(AuditableEvent)).all() == []


def test_the_tab_takes_few_statements_however_many_backends_there_are(
    web: Browser, me: User, count_statements: Callable[[], Any]
) -> None:
    with count_statements() as few:
        web.get(TAB)
    for _ in range(18):
        f.BackendMembershipFactory(user=me)
    with count_statements() as many:
        web.get(TAB)
    assert len(few) == len(many) <= 12
