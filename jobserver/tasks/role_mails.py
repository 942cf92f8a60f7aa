"""Sending the mails about roles that reach beyond one project (spec: staff 17.21)."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from jobserver.actions.audit import OPERATOR
from jobserver.clients.mail import Message
from jobserver.models import Role, User
from jobserver.rap.context import Context
from jobserver.security.roles import ROLES, known
from jobserver.tasks import letters, sending
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp

log = structlog.get_logger(__name__)


def mail_roles_given(
    context: Context, *, recipient_id: int, user_id: int, roles: list[str], by: str, reason: str, at: str
) -> None:
    """Tell the person themselves, or an administrator, that somebody was given these roles."""
    with context.transaction() as db:
        recipient, user = db.get(User, recipient_id), db.get(User, user_id)
    if recipient is None or user is None:
        raise GiveUp(f"there is no user {user_id if user is None else recipient_id}")
    if not recipient.email or (recipient.disabled_at is not None and recipient_id != user_id):
        log.info("user_not_notified", user_id=recipient_id, reason="no email address, or disabled")
        return
    moment = datetime.fromisoformat(at)
    sending.mail(
        context, roles_given(recipient, user, known(roles), by, reason, moment, context.settings.base_url)
    )
    log.info("roles_given_told", user_id=recipient_id, about=user_id)


def roles_given(
    recipient: User, user: User, roles: Sequence[Role], by: str, reason: str, at: datetime, base_url: str
) -> Message:
    """The mail, to the person themselves or to an administrator."""
    to_themselves = recipient.username == user.username
    page = ("settings", "access") if to_themselves else ("staff", "users", user.username)
    names = " and ".join(ROLES[role].name for role in roles)
    subject = f"You were given the role {names}" if to_themselves else f"{user.username} was given {names}"
    return letters.write(
        "roles_given",
        to=recipient.email or "",
        subject=subject,
        hello=recipient.fullname,
        to_themselves=to_themselves,
        username=user.username,
        fullname=user.fullname,
        roles=[ROLES[role] for role in roles],
        by="an operator" if by == OPERATOR.username else by,
        reason=reason,
        at=letters.moment_in_words(at),
        url=link(base_url, *page),
    )
