"""Warnings of tokens that end soon (spec: access 8.3.29)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from jobserver.models import PersonalToken, User, utcnow
from jobserver.queue import Task
from jobserver.rap.context import Context
from jobserver.settings import Settings
from jobserver.tasks import worker
from jobserver.tasks.deliveries import DELIVERIES
from jobserver.tasks.retrying import GiveUp
from tests import factories as f
from tests.outbox import Outbox


def token(user: User, name: str, *, days: float, life: float = 90, **values: object) -> None:
    """A token that ends in so many days and was made for a life of so many."""
    ends = utcnow() + timedelta(days=days)
    made = ends - timedelta(days=life)
    f.personal_token(user, name=name, expires_at=ends, created_at=made, **values)


def asked(db: Session) -> list[tuple[str, str]]:
    """Whom the queue is to warn of which token."""
    db.rollback()
    rows = db.execute(
        text(
            "SELECT username, name FROM procrastinate_jobs JOIN personal_token t ON t.id = (args->>'token_id')::int"
            " JOIN \"user\" u ON u.id = (args->>'user_id')::int WHERE task_name = 'mail_token_ends' ORDER BY 2"
        )
    )
    return [(row[0], row[1]) for row in rows]


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def context(settings: Settings, session_factory: sessionmaker[Session], outbox: Outbox) -> Context:
    return outbox.context(settings, session_factory)


def test_each_token_is_told_of_once_14_days_before_its_end(db: Session, context: Context) -> None:
    ann, bob = f.UserFactory(username="ann"), f.UserFactory(username="bob")
    token(ann, "a due", days=13.9)
    token(bob, "b due", days=0.1)
    token(ann, "not yet", days=14.1)
    token(ann, "over", days=-0.1)
    token(ann, "made for two weeks", days=13, life=15)
    token(ann, "revoked", days=5, revoked_at=utcnow(), revoked_by_id=ann.id)
    assert worker.warn_of_tokens in worker.TIDYING
    for _ in range(2):
        worker.warn_of_tokens(context)
        assert asked(db) == [("ann", "a due"), ("bob", "b due")]
    # The queue forgets what it has done.
    db.execute(text("DELETE FROM procrastinate_jobs"))
    db.commit()
    worker.warn_of_tokens(context)
    assert asked(db) == []


def test_the_mail_names_the_token_and_its_end(db: Session, context: Context, outbox: Outbox) -> None:
    owner = f.UserFactory(username="ann", fullname="Ann <b>", email="ann@example.org")
    ends = utcnow().replace(hour=0, minute=0) + timedelta(days=5)
    f.personal_token(owner, name="Nightly", expires_at=ends)
    kept = db.scalars(select(PersonalToken)).one()

    def deliver() -> None:
        db.commit()
        DELIVERIES[Task.MAIL_TOKEN_ENDS](context, token_id=kept.id, user_id=owner.id)

    deliver()
    (message,) = outbox.messages
    assert (message.to, message.subject) == ("ann@example.org", "Your token “Nightly” ends soon")
    for each in (
        "Hello Ann <b>,",
        "as ann",
        f"{ends.day} {ends:%B %Y}",
        "never been used",
        "/settings/tokens/",
    ):
        assert each in message.text
    assert "Hello Ann &lt;b&gt;," in message.html
    owner.email = None
    deliver()
    owner.email, kept.revoked_at, kept.revoked_by_id = "ann@example.org", utcnow(), owner.id
    deliver()
    assert len(outbox.messages) == 1
    with pytest.raises(GiveUp):
        DELIVERIES[Task.MAIL_TOKEN_ENDS](context, token_id=0, user_id=owner.id)
