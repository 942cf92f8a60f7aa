"""Bots: users without an email address, who call with a personal token (spec: access 4.8, domain 3.1)."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from jobserver.actions import personal_tokens, users
from jobserver.actions.naming import Refused
from jobserver.actions.users import Person
from jobserver.models import GithubIdentity, TokenScope, User, utcnow

LIFETIME = timedelta(days=90)
TOKEN_NAME = "Made by the command create-bot"  # noqa: S105


class NoBot(Refused):
    """The user is a person's account, who makes tokens in the settings; or it is closed."""


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
    now = now or utcnow()
    personal_tokens.revoke_all(db, bot, by=by)
    last_day = (now.astimezone(UTC) + LIFETIME).date()
    _, token = personal_tokens.create(
        db, bot, by=by, name=TOKEN_NAME, scopes=[TokenScope.RELEASES], last_day=last_day, now=now
    )
    return token
