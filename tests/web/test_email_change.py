"""Changing one's email address: only by the link that was mailed there (spec: access 8.2.21, pages 30.1.7)."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from jobserver.models import AuditableEvent, EmailChange, User, utcnow
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.security import tokens
from jobserver.settings import Settings
from jobserver.tasks.deliveries import DELIVERIES
from tests import factories as f
from tests.unit.rap.controller import Outbox, make_context
from tests.web.conftest import Browser

PAGE = "/settings/confirm-email/"


@pytest.fixture
def me(web: Browser) -> User:
    user: User = f.UserFactory(username="ada", fullname="Ada", email="old@example.org")
    web.sign_in(user)
    return user


class Post:
    """Does the tasks that were asked for since it was asked last, and keeps the mails."""

    def __init__(self, db: Session, context: Context, outbox: Outbox) -> None:
        self.db, self.context, self.outbox = db, context, outbox
        self.done = 0

    def deliver(self) -> list[str]:
        """The addresses that mail went to."""
        self.db.rollback()
        rows = self.db.execute(
            text("SELECT id, task_name, args FROM procrastinate_jobs WHERE id > :done ORDER BY id"),
            {"done": self.done},
        ).all()
        before = len(self.outbox.messages)
        for row in rows:
            DELIVERIES[Task(row.task_name)](self.context, **row.args)
            self.done = row.id
        return [re.findall(r"^To: (.*)$", each, re.MULTILINE)[0] for each in self.outbox.messages[before:]]

    def link(self) -> str:
        """The last link that was mailed, as a path."""
        found = re.findall(r"http\S+confirm-email/\S+", self.outbox.getvalue())[-1]
        parts = urlsplit(found)
        return f"{parts.path}?{parts.query}"


@pytest.fixture
def post(settings: Settings, session_factory: sessionmaker[Session], db: Session) -> Post:
    outbox = Outbox()
    db.execute(text("SELECT setval(pg_get_serial_sequence('procrastinate_jobs', 'id'), 1, false)"))
    return Post(db, make_context(settings, session_factory, "http://127.0.0.1:9/", outbox), outbox)


def ask(web: Browser, email: str, status: int = 303) -> Any:
    return web.submit("/settings/", {"fullname": "Ada", "email": email}, status=status)


def email_of(db: Session, user: User) -> str | None:
    db.rollback()
    return db.scalar(select(User.email).where(User.id == user.id))


def wish(db: Session) -> EmailChange | None:
    db.rollback()
    db.expire_all()
    return db.scalars(select(EmailChange)).one_or_none()


def turn_back(db: Session, **ago: float) -> None:
    """Let the wish have been uttered so long ago."""
    moved = {"created_at": EmailChange.created_at - timedelta(**ago)}
    moved["expires_at"] = EmailChange.expires_at - timedelta(**ago)
    db.execute(update(EmailChange).values(moved).execution_options(synchronize_session=False))
    db.commit()


def confirm(web: Browser, link: str, status: int = 303) -> Any:
    """Press the button of the link's page."""
    page = web.get(link, status=200)
    (form,) = [each for each in page.forms.values() if each.action == PAGE]
    return form.submit(status=status)


def changes(db: Session) -> list[tuple[str, str, str]]:
    db.rollback()
    rows = db.scalars(select(AuditableEvent).where(AuditableEvent.type == "user_updated"))
    return [(row.target_field, row.old, row.new) for row in rows]


def test_the_address_changes_once_the_link_is_followed_and_its_button_pressed(
    web: Browser, me: User, db: Session, post: Post
) -> None:
    page = ask(web, " New@Example.org ").follow()
    assert "A link is on its way to new@example.org." in page
    assert "Your address becomes new@example.org once you follow the link mailed there." in page
    assert page.html.find(id="email")["value"] == "old@example.org"
    assert sorted(post.deliver()) == ["new@example.org", "old@example.org"]
    assert email_of(db, me) == "old@example.org"
    web.get(post.link(), status=200)
    assert email_of(db, me) == "old@example.org"
    assert changes(db) == []
    done = confirm(web, post.link())
    assert done.location == "http://localhost/settings/"
    assert "Your email address is new@example.org now." in done.follow()
    assert email_of(db, me) == "new@example.org"
    assert changes(db) == [("email", "old@example.org", "new@example.org")]
    assert wish(db) is None
    assert post.deliver() == []


def test_the_name_is_saved_at_once_beside_a_new_address(web: Browser, me: User, db: Session) -> None:
    page = web.submit("/settings/", {"fullname": "Ada King", "email": "new@example.org"}).follow()
    assert "Your name is saved. A link is on its way to new@example.org." in page
    assert changes(db) == [("fullname", "Ada", "Ada King")]


def test_the_old_address_is_told_what_is_about_to_happen_and_what_to_do(
    web: Browser, me: User, post: Post
) -> None:
    ask(web, "new@example.org")
    post.deliver()
    (told,) = [each for each in post.outbox.messages if "To: old@example.org" in each]
    for words in ("signed in to Job server as ada", "new@example.org", "http://localhost/settings/"):
        assert words in told
    assert "token=" not in told


def test_nothing_that_is_stored_opens_the_door(web: Browser, me: User, db: Session, post: Post) -> None:
    """The token is made by the worker that mails it: no table ever holds it, the queue's neither."""
    ask(web, "new@example.org")
    post.deliver()
    token = post.link().partition("token=")[2]
    db.rollback()
    stored = "\n".join(db.scalars(text("SELECT t::text FROM email_change t")))
    stored += "\n".join(db.scalars(text("SELECT args::text FROM procrastinate_jobs")))
    assert tokens.digest(token) in stored
    assert token not in stored


@pytest.mark.parametrize("email", ["old@example.org", " OLD@example.org "])
def test_the_same_address_is_no_change(web: Browser, me: User, db: Session, post: Post, email: str) -> None:
    assert "Nothing was changed." in ask(web, email).follow()
    assert wish(db) is None
    assert post.deliver() == []


def test_an_address_of_somebody_else_is_refused_at_the_field(
    web: Browser, me: User, db: Session, post: Post
) -> None:
    """Pages 30.3.37: no error 500, and all that was typed is kept."""
    f.UserFactory(email="taken@example.org")
    page = web.submit("/settings/", {"fullname": "Ada King", "email": "Taken@Example.org"}, status=200)
    assert page.html.title.text.startswith("Error: ")
    assert "Another account has this address." in page.html.find(id="email-error").text
    assert page.html.find(id="email")["value"] == "Taken@Example.org"
    assert page.html.find(id="fullname")["value"] == "Ada King"
    assert wish(db) is None
    assert changes(db) == []
    assert post.deliver() == []


@pytest.mark.parametrize(
    "email",
    [
        "",
        "   ",
        "ada",
        "@example.org",
        "ada@",
        "a b@example.org",
        "a@example.org\nBcc: all@example.org",
        "a@example.org\r\nSubject: x",
        "a@example.org,b@example.org",
        "a@example.org;b@example.org",
        "<a@example.org>",
        "Ada <a@example.org>",
        "a\x00@example.org",
        "ada@exämple.org",
        f"{'a' * 250}@example.org",
        "a@b@c",
        '"<i>"(comment)@example.org',
    ],
)
def test_what_is_no_address_is_refused_at_the_field(
    web: Browser, me: User, db: Session, post: Post, email: str
) -> None:
    page = ask(web, email, status=200)
    assert page.html.find(id="email")["aria-invalid"] == "true"
    assert page.html.find(id="email-error") is not None
    assert wish(db) is None
    assert post.deliver() == []


def test_an_odd_but_right_address_is_shown_escaped(web: Browser, me: User, post: Post) -> None:
    page = ask(web, "o'hara+x&y@example.org").follow()
    assert "becomes o&#39;hara+x&amp;y@example.org once" in page.text
    assert "o'hara+x&y@example.org" in post.deliver()


# Waiting, again, no more


def test_a_link_works_once(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "new@example.org")
    post.deliver()
    confirm(web, post.link())
    page = web.get(post.link(), status=200)
    assert "This link does not work." in page
    token = post.link().partition("token=")[2]
    again = web.submit(PAGE, {"token": token}, status=303)
    assert again.location.endswith(post.link())
    assert len(changes(db)) == 1


def test_a_link_works_for_24_hours(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "new@example.org")
    post.deliver()
    turn_back(db, hours=23.9)
    assert "Change my address" in web.get(post.link())
    turn_back(db, hours=0.2)
    page = web.get(post.link())
    assert "This link worked for 24 hours, which are over." in page
    assert "Change my address" not in page
    web.submit(PAGE, {"token": post.link().partition("token=")[2]}, status=303)
    assert email_of(db, me) == "old@example.org"
    settings = web.get("/settings/")
    assert "The link to new@example.org was not followed in time." in settings


def test_an_expired_wish_can_be_sent_again(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "new@example.org")
    post.deliver()
    turn_back(db, hours=25)
    assert "A new link is on its way" in web.submit("/settings/resend-email/").follow()
    assert "new@example.org" in post.deliver()
    confirm(web, post.link())
    assert email_of(db, me) == "new@example.org"


def test_sending_again_ends_the_earlier_link_and_does_not_tell_the_old_address_twice(
    web: Browser, me: User, db: Session, post: Post
) -> None:
    ask(web, "new@example.org")
    post.deliver()
    first = post.link()
    turn_back(db, minutes=2)
    web.submit("/settings/resend-email/", status=303)
    assert post.deliver() == ["new@example.org"]
    assert post.link() != first
    assert "This link does not work." in web.get(first)
    confirm(web, post.link())
    assert email_of(db, me) == "new@example.org"


def test_a_new_wish_replaces_the_old_one(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "first@example.org")
    post.deliver()
    first = post.link()
    turn_back(db, minutes=2)
    ask(web, "second@example.org")
    assert sorted(post.deliver()) == ["old@example.org", "second@example.org"]
    assert "This link does not work." in web.get(first)
    assert "becomes second@example.org" in web.get("/settings/")
    confirm(web, post.link())
    assert email_of(db, me) == "second@example.org"


def test_a_cancelled_wish_changes_nothing(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "new@example.org").follow()
    post.deliver()
    page = web.submit("/settings/cancel-email/", status=303).follow()
    assert "Your email address stays as it is." in page
    assert "new@example.org" not in page
    assert "This link does not work." in web.get(post.link())
    web.submit(PAGE, {"token": post.link().partition("token=")[2]}, status=303)
    assert email_of(db, me) == "old@example.org"
    assert "No change of address is under way." in web.submit("/settings/cancel-email/").follow()
    assert "No link was sent" in web.submit("/settings/resend-email/").follow()


def test_one_link_a_minute(web: Browser, me: User, db: Session, post: Post) -> None:
    """Nobody's inbox is flooded: not by sending again, not by cancelling and asking anew."""
    ask(web, "new@example.org")
    post.deliver()
    page = web.submit("/settings/resend-email/", status=303).follow()
    assert re.search(r"A link was sent less than a minute ago. Try again in \d+ seconds?\.", page.text)
    web.submit("/settings/cancel-email/")
    refused = ask(web, "victim@example.org", status=200)
    assert "A link was sent less than a minute ago." in refused.html.find(id="email-error").text
    assert post.deliver() == []
    turn_back(db, seconds=61)
    ask(web, "victim@example.org")
    assert "victim@example.org" in post.deliver()


def test_the_same_form_sent_twice_is_harmless(web: Browser, me: User, db: Session, post: Post) -> None:
    for _ in range(2):
        assert "A link is on its way to new@example.org." in ask(web, "new@example.org").follow()
    assert sorted(post.deliver()) == ["new@example.org", "old@example.org"]
    confirm(web, post.link())
    assert email_of(db, me) == "new@example.org"


# Others


def test_the_link_works_for_nobody_else(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "new@example.org")
    post.deliver()
    other = f.UserFactory(username="mallory")
    page = web.sign_in(other).get(post.link(), status=200)
    assert "This link belongs to another account than" in page
    for secret in ("new@example.org", "old@example.org", "Change my address"):
        assert secret not in page
    web.submit(PAGE, {"token": post.link().partition("token=")[2]}, status=303)
    assert email_of(db, other) == other.email
    assert email_of(db, me) == "old@example.org"
    confirm(web.sign_in(me), post.link())
    assert email_of(db, me) == "new@example.org"


def test_the_link_leads_a_stranger_through_signing_in(web: Browser, me: User, post: Post) -> None:
    ask(web, "new@example.org")
    post.deliver()
    web.reset()
    answer = web.get(post.link(), status=303)
    assert "/login/?next=%2Fsettings%2Fconfirm-email%2F%3Ftoken%3D" in answer.location
    web.submit(PAGE, {"token": post.link().partition("token=")[2]}, status=303)


@pytest.mark.parametrize("token", ["", "x", "\x00", "x" * 10_000, "<b>", "☃"])
def test_a_made_up_token_is_explained(web: Browser, me: User, db: Session, token: str) -> None:
    answer = web.submit(PAGE, {"token": token}, status=303)
    page = answer.follow(status=200)
    assert "This link does not work." in page
    assert page.html.find("b", string=re.compile("<b>")) is None
    assert email_of(db, me) == "old@example.org"


def test_a_link_without_a_token_is_explained(web: Browser, me: User) -> None:
    assert "This link does not work." in web.get(PAGE, status=200)
    web.submit(PAGE, {}, status=303)


def test_confirming_needs_the_forms_token(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "new@example.org")
    post.deliver()
    web.post(PAGE, {"token": post.link().partition("token=")[2]}, status=400)
    assert email_of(db, me) == "old@example.org"


def test_an_address_taken_meanwhile_is_told(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "new@example.org")
    post.deliver()
    page = web.get(post.link())
    f.UserFactory(email="new@example.org")
    (form,) = [each for each in page.forms.values() if each.action == PAGE]
    told = form.submit(status=303).follow()
    assert "another account was given the address new@example.org" in told
    assert email_of(db, me) == "old@example.org"
    turn_back(db, minutes=2)
    again = web.submit("/settings/resend-email/").follow()
    assert "No link was sent: another account has this address by now." in again


def test_the_page_of_the_link_is_not_kept_and_tells_nobody_where_it_is(
    web: Browser, me: User, post: Post
) -> None:
    ask(web, "new@example.org")
    post.deliver()
    headers = web.get(post.link()).headers
    assert "no-store" in headers["Cache-Control"]
    assert headers["Referrer-Policy"] == "same-origin"


# The worker


def test_a_wish_that_is_no_more_is_not_mailed(web: Browser, me: User, post: Post) -> None:
    ask(web, "new@example.org")
    web.submit("/settings/cancel-email/")
    # The old address is told all the same: somebody asked.
    assert post.deliver() == ["old@example.org"]


def test_a_wish_that_expired_while_mail_could_not_leave_is_not_mailed(
    web: Browser, me: User, db: Session, post: Post
) -> None:
    ask(web, "new@example.org")
    row = wish(db)
    assert row is not None
    row.expires_at = utcnow()
    db.commit()
    assert post.deliver() == ["old@example.org"]


def test_a_replaced_wish_is_not_mailed(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "first@example.org")
    turn_back(db, minutes=2)
    ask(web, "second@example.org")
    assert post.deliver().count("second@example.org") == 1
    assert "To: first@example.org" not in post.outbox.getvalue()


def test_a_task_that_is_repeated_sends_a_link_that_works(
    web: Browser, me: User, db: Session, post: Post
) -> None:
    ask(web, "new@example.org")
    post.deliver()
    first = post.link()
    post.done = 0
    post.deliver()
    assert "This link does not work." in web.get(first)
    confirm(web, post.link())
    assert email_of(db, me) == "new@example.org"


def test_a_closed_account_gets_no_link(web: Browser, me: User, db: Session, post: Post) -> None:
    ask(web, "new@example.org")
    closing = {"disabled_at": utcnow(), "disabled_by_id": f.UserFactory().id}
    db.execute(update(User).where(User.id == me.id).values(closing))
    db.commit()
    assert post.deliver() == ["old@example.org"]


def test_an_account_without_an_address_gets_its_first_one(web: Browser, db: Session, post: Post) -> None:
    user = f.UserFactory(fullname="Ada", email=None)
    web.sign_in(user)
    ask(web, "new@example.org")
    assert post.deliver() == ["new@example.org"]
    confirm(web, post.link())
    assert email_of(db, user) == "new@example.org"
    assert changes(db) == [("email", "", "new@example.org")]


def test_the_pages_cost_few_statements(
    web: Browser, me: User, post: Post, count_statements: Callable[[], Any]
) -> None:
    ask(web, "new@example.org")
    post.deliver()
    for path in ("/settings/", post.link()):
        with count_statements() as statements:
            web.get(path, status=200)
        assert len(statements) <= 12
        assert statements.writes == []
