"""Who is told of what about publishing, and in which words (spec: airlock 12.39)."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from jobserver.actions import publication
from jobserver.clients.mail import Message
from jobserver.models import utcnow
from jobserver.queue import JOBS
from jobserver.rap.context import Context
from jobserver.settings import Settings
from jobserver.tasks.deliveries import DELIVERIES
from jobserver.tasks.retrying import GiveUp
from tests.outbox import Outbox
from tests.web.publishing.conftest import Here

WHY = "Two <cells> & more.\nRound them."


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def context(settings: Settings, session_factory: sessionmaker[Session], outbox: Outbox) -> Context:
    return outbox.context(settings, session_factory)


def deliver(db: Session, context: Context) -> None:
    """Send what was asked for, in its order."""
    for row in db.execute(select(JOBS.c.id, JOBS.c.task_name, JOBS.c.args).order_by(JOBS.c.id)).all():
        DELIVERIES[next(each for each in DELIVERIES if each == row.task_name)](context, **row.args)
        db.execute(JOBS.delete().where(JOBS.c.id == row.id))
    db.commit()


def test_publishers_learn_what_waits_and_where(
    db: Session, here: Here, context: Context, outbox: Outbox
) -> None:
    snapshot = here.draft()
    deliver(db, context)
    assert [each.to for each in outbox.messages] == [here.publisher.email, here.other_publisher.email]
    message: Message = outbox.messages[0]
    assert message.subject == "To be published: Uptake"
    for part in (message.text, message.html):
        for each in (
            here.page(snapshot),
            "/publish-requests/",
            "2 files, 16 bytes",
            here.developer.fullname,
            here.workspace.name,
        ):
            assert each in part


def test_nobody_is_told_of_what_was_decided_before_the_mail_went(
    db: Session, here: Here, context: Context, outbox: Outbox
) -> None:
    snapshot = here.draft()
    publication.withdraw(db, snapshot, here.developer)
    db.commit()
    deliver(db, context)
    assert outbox.messages == []


@pytest.mark.parametrize(
    ("outcome", "subject", "words"),
    [
        ("approved", "Published: Uptake", "says how to cite it"),
        ("rejected", "Not published: Uptake", "not agreed to publish"),
        ("unpublished", "No longer public: Uptake", "made a draft again of"),
    ],
)
def test_whoever_asked_learns_what_became_of_it_by_whom_and_why(
    db: Session, here: Here, context: Context, outbox: Outbox, outcome: str, subject: str, words: str
) -> None:
    snapshot = here.draft()
    db.execute(JOBS.delete())
    if outcome == "rejected":
        publication.reject(db, snapshot, here.publisher, WHY)
    else:
        publication.publish(db, snapshot, here.publisher)
    if outcome == "unpublished":
        db.execute(JOBS.delete())
        publication.unpublish(db, snapshot, here.other_publisher, WHY)
    db.commit()
    deliver(db, context)
    (message,) = outbox.messages
    assert (message.to, message.subject) == (here.developer.email, subject)
    by = here.other_publisher if outcome == "unpublished" else here.publisher
    for each in (words, here.page(snapshot), by.fullname):
        assert each in message.text
    if outcome != "approved":
        assert WHY in message.text
        assert "Two &lt;cells&gt; &amp; more." in message.html


def test_nobody_is_told_of_their_own_decision(db: Session, here: Here) -> None:
    files = [each.id for each in here.files]
    asked = publication.prepare(db, here.workspace, files, here.publisher, title="Mine")
    publication.publish(db, asked.snapshot, here.publisher)
    publication.unpublish(db, asked.snapshot, here.publisher, "slip")
    db.commit()
    assert here.mails() == [("mail_publish_request", here.other_publisher.id, None)]


def test_who_has_no_address_or_no_account_any_more_is_not_told(
    db: Session, here: Here, context: Context, outbox: Outbox
) -> None:
    here.draft()
    here.publisher.email = None
    here.other_publisher.disabled_at, here.other_publisher.disabled_by_id = utcnow(), here.checker.id
    db.commit()
    deliver(db, context)
    assert outbox.messages == []
    task: Any = DELIVERIES[next(each for each in DELIVERIES if each == "mail_publish_request")]
    with pytest.raises(GiveUp):
        task(context, publish_request_id=999, user_id=here.developer.id)
