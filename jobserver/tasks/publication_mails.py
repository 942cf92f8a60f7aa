"""Mails about making outputs public: to those who decide, and to whoever asked (spec: airlock 12.39)."""

import structlog

from jobserver.clients.mail import Message
from jobserver.models import User
from jobserver.queries.publication_telling import Told, told
from jobserver.rap.context import Context
from jobserver.tasks import letters, sending
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp
from jobserver.templating.numbers import count, filesize

log = structlog.get_logger(__name__)

_SUBJECTS = {
    "approved": "Published: {name}",
    "rejected": "Not published: {name}",
    "unpublished": "No longer public: {name}",
}


def mail_publish_request(context: Context, *, publish_request_id: int, user_id: int) -> None:
    """Tell somebody who decides that outputs wait, unless that was decided since."""
    recipient, wish = _load(context, publish_request_id, user_id)
    if wish.decision is not None:
        log.info("publish_request_decided_already", publish_request_id=publish_request_id)
        return
    if _can_be_told(recipient):
        sending.mail(context, asked(wish, recipient, context.settings.base_url))
        log.info("publisher_told", publish_request_id=publish_request_id, user_id=user_id)


def mail_publish_decision(context: Context, *, publish_request_id: int, user_id: int, outcome: str) -> None:
    """Tell whoever asked what became of it: ``approved``, ``rejected`` or ``unpublished``."""
    recipient, wish = _load(context, publish_request_id, user_id, unpublished=outcome == "unpublished")
    if _can_be_told(recipient):
        sending.mail(context, decided(wish, outcome, recipient, context.settings.base_url))
        log.info("requester_told", publish_request_id=publish_request_id, outcome=outcome)


def asked(wish: Told, recipient: User, base_url: str) -> Message:
    """The mail to somebody who decides."""
    return letters.write(
        "publish_request",
        to=recipient.email or "",
        subject=f"To be published: {wish.name}",
        queue_url=link(base_url, "publish-requests"),
        **_words(wish, recipient, base_url),
    )


def decided(wish: Told, outcome: str, recipient: User, base_url: str) -> Message:
    """The mail to whoever asked."""
    return letters.write(
        "publish_decision",
        to=recipient.email or "",
        subject=_SUBJECTS[outcome].format(name=wish.name),
        outcome=outcome,
        **_words(wish, recipient, base_url),
    )


def _words(wish: Told, recipient: User, base_url: str) -> dict[str, object]:
    return {
        "fullname": recipient.fullname,
        "wish": wish,
        "files": f"{count(wish.files, 'file')}, {filesize(wish.size)}",
        "workspace": wish.path[-1],
        "workspace_url": link(base_url, *wish.path),
        "url": link(base_url, *wish.path, "outputs", wish.snapshot_id),
    }


def _load(
    context: Context, publish_request_id: int, user_id: int, *, unpublished: bool = False
) -> tuple[User, Told]:
    with context.transaction() as db:
        recipient = db.get(User, user_id)
        wish = told(db, publish_request_id, unpublished=unpublished)
    if recipient is None or wish is None:
        raise GiveUp(f"there is no user {user_id}, or no publish request {publish_request_id}")
    return recipient, wish


def _can_be_told(user: User) -> bool:
    if user.email and user.disabled_at is None:
        return True
    log.info("user_not_notified", user_id=user.id, reason="no email address, or disabled")
    return False
