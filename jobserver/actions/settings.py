"""What people change about their own account: the name, and the email address by way of a link.

An address changes only once its owner has followed the link mailed there; the old one is told as well
(spec: pages 30.1.7, access 8.1.4 and 8.2.21).
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import getaddresses

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions import naming
from jobserver.actions.audit import record
from jobserver.actions.naming import Malformed, Refused
from jobserver.actions.users import EmailTaken, normal_email, normal_fullname
from jobserver.models import AuditType, EmailChange, User, utcnow
from jobserver.queries import settings as queries
from jobserver.queries.settings import Link, LinkState
from jobserver.security import tokens

LINK_LIFETIME = timedelta(hours=24)
# Between two links mailed for one person.
PAUSE = timedelta(minutes=1)

# Letters to Unicode, nothing to a reader.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


class TooSoon(Refused):
    """The last link was mailed a moment ago."""

    def __init__(self, seconds: int) -> None:
        wait = "1 second" if seconds == 1 else f"{seconds} seconds"
        super().__init__("email", f"A link was sent less than a minute ago. Try again in {wait}.")


@dataclass(frozen=True)
class Saved:
    """What saving the account changed: ``asked`` is the address to which a link is on its way."""

    renamed: bool
    asked: str = ""


def is_blank(fullname: str) -> bool:
    """Whether a reader of the name would see nothing."""
    visible = (each for each in fullname if each not in _BLANK)
    return not any(unicodedata.category(each)[0] in "LNPS" for each in visible)


def save(db: Session, user_id: int, *, fullname: str, email: str, now: datetime | None = None) -> Saved:
    """Give the person this name, and mail a link to this address if it is another than theirs.

    Raises :class:`Malformed`, :class:`EmailTaken` or :class:`TooSoon`; nothing is changed then.
    """
    user = _locked(db, user_id)
    name = normal_fullname(fullname)
    if is_blank(name):
        raise Malformed("name", "needs at least one visible character")
    wanted, now = deliverable(email), now or utcnow()
    asked = "" if wanted == user.email else wanted
    # The same form sent twice: the link is on its way already.
    if asked and not _has_just_asked(db, user_id, asked, now):
        _ask(db, user, asked, now)
    renamed = name != user.fullname
    if renamed:
        old, user.fullname = user.fullname, name
        _record(db, user, "fullname", old, name)
    return Saved(renamed, asked)


def deliverable(email: str) -> str:
    """The one spelling of an address that a mail can be sent to; :class:`Malformed` if it is none."""
    wanted = normal_email(email) or ""
    if not wanted.isascii() or getaddresses([wanted]) != [("", wanted)]:
        raise Malformed("email", "must be one address such as name@example.org")
    return wanted


def ask_again(db: Session, user_id: int, *, now: datetime | None = None) -> str:
    """Mail a new link to the address wished for, and return that address; "" if there is no wish.

    The earlier link ends. Raises :class:`EmailTaken` or :class:`TooSoon`.
    """
    user = _locked(db, user_id)
    change = queries.email_change(db, user_id)
    return _ask(db, user, change.email, now or utcnow()) if change else ""


def withdraw(db: Session, user_id: int) -> bool:
    """Let the address be as it is; the link ends. Returns False if no change was wished for."""
    _locked(db, user_id)
    change = queries.email_change(db, user_id)
    if change is None:
        return False
    change.expires_at = change.created_at
    return True


def _has_just_asked(db: Session, user_id: int, email: str, now: datetime) -> bool:
    change = queries.email_change(db, user_id)
    return change is not None and change.email == email and now - change.created_at < PAUSE


def _ask(db: Session, user: User, email: str, now: datetime) -> str:
    if queries.has_email(db, email, but=user.id):
        raise EmailTaken(email)
    change = db.get(EmailChange, user.id)
    if change is not None and now - change.created_at < PAUSE:
        raise TooSoon(max(1, int((PAUSE - (now - change.created_at)).total_seconds())))
    told = change is not None and change.email == email and change.expires_at > now
    if change is None:
        change = EmailChange(user_id=user.id)
        db.add(change)
    change.email, change.created_at, change.expires_at = email, now, now + LINK_LIFETIME
    # Of a token that nobody knows: the worker makes the one that it mails, so that none is kept anywhere.
    change.digest = tokens.digest(tokens.new_session_token())
    db.flush()
    asked_at = now.isoformat()
    queue.defer(db, queue.Task.MAIL_EMAIL_CHANGE, user_id=user.id, asked_at=asked_at)
    if user.email and not told:
        queue.defer(
            db,
            queue.Task.MAIL_EMAIL_CHANGE_NOTICE,
            user_id=user.id,
            old=user.email,
            new=email,
            asked_at=asked_at,
        )
    return email


@dataclass(frozen=True)
class Invitation:
    """What the mail to a new address says; ``token`` is kept nowhere."""

    username: str
    fullname: str
    email: str
    token: str
    expires_at: datetime


def new_link(
    db: Session, user_id: int, asked_at: datetime, *, now: datetime | None = None
) -> Invitation | None:
    """Make the link for a wish of this moment; None if it was withdrawn, replaced, confirmed or has expired.

    A link made for it before ends.
    """
    change = db.scalar(select(EmailChange).where(EmailChange.user_id == user_id).with_for_update())
    user = db.get(User, user_id)
    if change is None or user is None or user.disabled_at is not None:
        return None
    if change.created_at != asked_at or change.expires_at <= (now or utcnow()):
        return None
    token = tokens.new_session_token()
    change.digest = tokens.digest(token)
    return Invitation(user.username, user.fullname, change.email, token, change.expires_at)


def confirm(db: Session, user_id: int, token: str, *, now: datetime | None = None) -> Link:
    """Give the person the address to which the link was mailed, if the link can do that."""
    # One at a time, so that two people cannot both be given one address.
    naming.lock(db)
    user = _locked(db, user_id)
    link = queries.link_of(db, user_id, token, now or utcnow())
    if link.state is LinkState.USABLE:
        old, user.email = user.email or "", link.email
        _record(db, user, "email", old, link.email)
        db.delete(db.get_one(EmailChange, user_id))
        db.flush()
    return link


def _locked(db: Session, user_id: int) -> User:
    return db.get_one(User, user_id, with_for_update=True, populate_existing=True)


def _record(db: Session, user: User, field: str, old: str, new: str) -> None:
    record(
        db,
        AuditType.USER_UPDATED,
        by=user,
        target=user,
        target_field=field,
        target_user=user,
        old=old,
        new=new,
    )
