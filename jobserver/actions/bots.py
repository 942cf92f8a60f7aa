"""Bots: users without an email address, who call with a personal token (spec: access 4.8, domain 3.1)."""

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import users
from jobserver.actions.audit import record
from jobserver.actions.naming import Refused
from jobserver.actions.users import Person
from jobserver.models import AuditType, GithubIdentity, User, utcnow
from jobserver.security import tokens

LIFETIME = timedelta(days=90)


class NoBot(Refused):
    """The user is a person's account, or closed."""


def create(
    db: Session, *, username: str, fullname: str = "", by: Person, now: datetime | None = None
) -> tuple[User, str]:
    """A bot and its token, which is kept nowhere; without a full name it gets one made from its username.

    Raises :class:`~jobserver.actions.naming.Malformed` or :class:`~jobserver.actions.naming.Taken`.
    """
    name = fullname or username.replace("-", " ").title()
    bot = users.create(db, username=username, email=None, fullname=name, by=by)
    return bot, rotate(db, bot, by=by, now=now)


def rotate(db: Session, bot: User, *, by: Person, now: datetime | None = None) -> str:
    """Give the bot a new token, which is kept nowhere; the one before ends. Raises :class:`NoBot`."""
    if db.scalar(select(GithubIdentity.id).where(GithubIdentity.user_id == bot.id).limit(1)):
        raise NoBot("username", f"“{bot.username}” signs in with GitHub: personal tokens are for bots.")
    if bot.disabled_at is not None:
        raise NoBot("username", f"The account “{bot.username}” is disabled.")
    last_day = ((now or utcnow()).astimezone(UTC) + LIFETIME).date()
    token = tokens.new_personal_token(last_day)
    bot.pat_token = tokens.digest(token)
    bot.pat_expires_at = datetime.combine(last_day, time(), UTC)
    record(db, AuditType.PERSONAL_TOKEN_CREATED, by=by, target=bot, target_user=bot, new=last_day.isoformat())
    return token
