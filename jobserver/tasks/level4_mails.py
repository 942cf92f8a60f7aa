"""Sending the mails about somebody's Level 4 tokens (spec: operations 4.2). None of them holds a token."""

from datetime import datetime

import structlog

from jobserver.actions.level4 import LIFETIME, MOST_FAILURES
from jobserver.clients.mail import Message
from jobserver.models import User
from jobserver.rap.context import Context
from jobserver.tasks import letters, sending
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp

log = structlog.get_logger(__name__)


def mail_token_created(context: Context, *, user_id: int, at: str) -> None:
    """Tell somebody that a token was made in their name."""
    user = _user(context, user_id)
    _send(context, user, token_created(user, datetime.fromisoformat(at), context.settings.base_url))


def mail_token_used(context: Context, *, user_id: int, backend: str, at: str) -> None:
    """Tell somebody that their token was used on this backend."""
    user = _user(context, user_id)
    _send(context, user, token_used(user, backend, datetime.fromisoformat(at), context.settings.base_url))


def mail_token_void(context: Context, *, user_id: int, backend: str, at: str) -> None:
    """Tell somebody that wrong tries on this backend have ended their token."""
    user = _user(context, user_id)
    _send(context, user, token_void(user, backend, datetime.fromisoformat(at), context.settings.base_url))


def token_created(user: User, at: datetime, base_url: str) -> Message:
    """The mail that says that a token was made."""
    return _write(
        "level4_token_created",
        user,
        "A Level 4 token was made for your account",
        base_url,
        at=letters.moment_in_words(at),
        until=letters.moment_in_words(at + LIFETIME),
    )


def token_used(user: User, backend: str, at: datetime, base_url: str) -> Message:
    """The mail that says that a token was used."""
    subject = f"Your account signed in to Level 4 on {backend}"
    return _write(
        "level4_token_used", user, subject, base_url, at=letters.moment_in_words(at), backend=backend
    )


def token_void(user: User, backend: str, at: datetime, base_url: str) -> Message:
    """The mail that says that a token has ended."""
    return _write(
        "level4_token_void",
        user,
        "Your Level 4 token has ended after wrong tries",
        base_url,
        at=letters.moment_in_words(at),
        backend=backend,
        tries=MOST_FAILURES,
        token_url=link(base_url, "settings", "level-4"),
    )


def _write(name: str, user: User, subject: str, base_url: str, **values: object) -> Message:
    return letters.write(
        name,
        to=user.email or "",
        subject=subject,
        username=user.username,
        fullname=user.fullname,
        sessions_url=link(base_url, "settings", "sessions"),
        **values,
    )


def _user(context: Context, user_id: int) -> User:
    with context.transaction() as db:
        user = db.get(User, user_id)
    if user is None:
        raise GiveUp(f"there is no user {user_id}")
    return user


def _send(context: Context, user: User, message: Message) -> None:
    if not message.to:
        log.info("user_not_notified", user_id=user.id, reason="no email address")
        return
    sending.mail(context, message)
    log.info("user_notified", user_id=user.id, subject=message.subject)
