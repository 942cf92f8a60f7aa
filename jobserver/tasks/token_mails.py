"""Telling people that a token with which their program reads the JSON API ends soon (spec: access 8.3.29)."""

import structlog

from jobserver.clients.mail import Message
from jobserver.models import PersonalToken, User, utcnow
from jobserver.rap.context import Context
from jobserver.tasks import letters, sending
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp

log = structlog.get_logger(__name__)


def mail_token_ends(context: Context, *, token_id: int, user_id: int) -> None:
    """Tell the owner, unless the token works no more."""
    with context.transaction() as db:
        token, owner = db.get(PersonalToken, token_id), db.get(User, user_id)
    if token is None or owner is None:
        raise GiveUp(f"there is no token {token_id} of a user {user_id}")
    if token.revoked_at is not None or token.expires_at <= utcnow():
        log.info("user_not_notified", user_id=user_id, reason="the token works no more")
        return
    if not owner.email or owner.disabled_at is not None:
        log.info("user_not_notified", user_id=user_id, reason="no email address, or disabled")
        return
    sending.mail(context, token_ends(owner, token, context.settings.base_url))
    log.info("token_end_told", user_id=user_id, token_id=token_id)


def token_ends(owner: User, token: PersonalToken, base_url: str) -> Message:
    """The mail, which does not hold the token."""
    return letters.write(
        "token_ends",
        to=owner.email or "",
        subject=f"Your token “{token.name}” ends soon",
        fullname=owner.fullname,
        username=owner.username,
        token_name=token.name,
        ends=letters.moment_in_words(token.expires_at),
        used=letters.moment_in_words(token.last_used_at) if token.last_used_at else "",
        tokens_url=link(base_url, "settings", "tokens"),
    )
