"""Sending the mails about a change of somebody's email address."""

from datetime import datetime
from urllib.parse import urlencode

import structlog

from jobserver.actions import settings as actions
from jobserver.actions.settings import Invitation
from jobserver.clients.mail import Message
from jobserver.models import User
from jobserver.rap.context import Context
from jobserver.tasks import letters, sending
from jobserver.tasks.links import link
from jobserver.tasks.retrying import GiveUp

log = structlog.get_logger(__name__)


def mail_email_change(context: Context, *, user_id: int, asked_at: str) -> None:
    """Send the link to the new address, unless the wish of that moment is no more.

    Each try makes a link of its own; those before it end.
    """
    with context.transaction() as db:
        invitation = actions.new_link(db, user_id, datetime.fromisoformat(asked_at))
    if invitation is None:
        log.info("email_change_no_longer_wanted", user_id=user_id)
        return
    sending.mail(context, invite(invitation, context.settings.base_url))
    log.info("email_change_link_sent", user_id=user_id)


def mail_email_change_notice(context: Context, *, user_id: int, old: str, new: str, asked_at: str) -> None:
    """Tell the old address that a change was asked for, even if the wish was withdrawn since."""
    with context.transaction() as db:
        user = db.get(User, user_id)
    if user is None:
        raise GiveUp(f"there is no user {user_id}")
    message = tell_old_address(
        user.username, user.fullname, old, new, datetime.fromisoformat(asked_at), context.settings.base_url
    )
    sending.mail(context, message)
    log.info("email_change_notice_sent", user_id=user_id)


def invite(invitation: Invitation, base_url: str) -> Message:
    """The mail to the new address."""
    url = link(base_url, "settings", "confirm-email") + "?" + urlencode({"token": invitation.token})
    return letters.write(
        "email_change",
        to=invitation.email,
        subject="Confirm your new email address for Job server",
        username=invitation.username,
        fullname=invitation.fullname,
        email=invitation.email,
        url=url,
        until=letters.moment_in_words(invitation.expires_at),
    )


def tell_old_address(
    username: str, fullname: str, old: str, new: str, asked_at: datetime, base_url: str
) -> Message:
    """The mail to the address that is to be replaced."""
    return letters.write(
        "email_change_notice",
        to=old,
        subject="Your email address for Job server is about to change",
        username=username,
        fullname=fullname,
        new=new,
        asked=letters.moment_in_words(asked_at),
        settings_url=link(base_url, "settings"),
    )
