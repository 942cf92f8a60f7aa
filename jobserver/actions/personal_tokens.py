"""Tokens with which people's and bots' programs read the JSON API: made, revoked, marked as used.

Only a digest is kept: a token is returned once, to be shown once.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions import naming
from jobserver.actions.audit import Actor, listed, record
from jobserver.actions.naming import Malformed, Refused
from jobserver.actions.users import Person
from jobserver.models import AuditType, PersonalToken, TaskRecord, TokenScope, User, utcnow
from jobserver.queue import Task
from jobserver.security import tokens
from jobserver.security.callers import USED_HOURLY

LONGEST_NAME = 100
LONGEST_LIFE = timedelta(days=365)
# So long before its end the owner is warned, if it was made for a good while longer.
ENDS_SOON = timedelta(days=14)
WARNED_FROM = ENDS_SOON + timedelta(days=7)
# More than anybody can tell apart.
MOST_TOKENS = 20


class TooMany(Refused):
    """The owner has as many tokens as one may have."""

    def __init__(self) -> None:
        super().__init__("name", f"You have {MOST_TOKENS} tokens that work. Revoke one that is not needed.")


def create(
    db: Session,
    owner: User,
    *,
    by: Person,
    name: str,
    scopes: Iterable[TokenScope],
    last_day: date,
    now: datetime | None = None,
) -> tuple[PersonalToken, str]:
    """Make a token that is good through this day (UTC); returns it with the secret, which is kept nowhere.

    Raises :class:`~jobserver.actions.naming.Malformed` or :class:`TooMany`.
    """
    now = now or utcnow()
    wanted = sorted(set(scopes))
    if not wanted:
        raise Malformed("scopes", "must be at least one")
    today = now.astimezone(UTC).date()
    if not today <= last_day <= today + LONGEST_LIFE:
        raise Malformed("days", f"must be at most {LONGEST_LIFE.days}")
    # Of two forms at once the second sees the token of the first.
    db.execute(select(User.id).where(User.id == owner.id).with_for_update())
    if len(usable(db, owner.id, now)) >= MOST_TOKENS:
        raise TooMany
    secret = tokens.new_personal_token(last_day)
    token = PersonalToken(
        user_id=owner.id,
        name=naming.trimmed("name", name, LONGEST_NAME),
        digest=tokens.digest(secret),
        scopes=wanted,
        created_at=now,
        created_by_id=Actor.of(by).user_id,
        expires_at=datetime.combine(last_day + timedelta(days=1), time(), UTC),
    )
    db.add(token)
    db.flush()
    record(
        db,
        AuditType.PERSONAL_TOKEN_CREATED,
        by=by,
        target=token,
        target_user=owner,
        parent=owner,
        new=last_day.isoformat(),
        changes={"scopes": (None, listed(wanted)), "last_day": (None, last_day.isoformat())},
        at=now,
    )
    return token, secret


def revoke(db: Session, token: PersonalToken, owner: User, *, by: Person, reason: str = "") -> bool:
    """End a token at once; False if it was revoked before."""
    db.refresh(token, with_for_update=True)
    if token.revoked_at is not None:
        return False
    token.revoked_at = utcnow()
    # An operator's command has no user: the owner stands for it, the event says who it was.
    token.revoked_by_id = Actor.of(by).user_id or owner.id
    db.flush()
    record(
        db,
        AuditType.PERSONAL_TOKEN_REVOKED,
        by=by,
        target=token,
        target_user=owner,
        parent=owner,
        reason=reason,
    )
    return True


def revoke_all(db: Session, owner: User, *, by: Person, reason: str = "") -> int:
    """End every token of somebody that still works; returns how many there were."""
    found = usable(db, owner.id, utcnow())
    return sum(revoke(db, token, owner, by=by, reason=reason) for token in found)


def usable(db: Session, user_id: int, now: datetime) -> list[PersonalToken]:
    """Somebody's tokens that work, oldest first."""
    token = PersonalToken
    statement = select(token).where(
        token.user_id == user_id, token.revoked_at.is_(None), token.expires_at > now
    )
    return list(db.scalars(statement.order_by(token.id)))


def ask_for_warnings(db: Session) -> int:
    """Have the owners told of tokens that end soon, once of each (spec: access 8.3.29); of how many now."""
    token, now, task = PersonalToken, utcnow(), Task.MAIL_TOKEN_ENDS
    was_told = exists().where(TaskRecord.key == func.concat(f"{task.value}:", token.id))
    ending = db.execute(
        select(token.id, token.user_id)
        .where(token.revoked_at.is_(None), token.expires_at > now, token.expires_at <= now + ENDS_SOON)
        .where(token.expires_at - token.created_at >= WARNED_FROM, ~was_told)
        .order_by(token.id)
    ).all()
    return sum(queue.defer(db, task, key=str(id_), token_id=id_, user_id=user) for id_, user in ending)


def mark_used(db: Session, token_id: int) -> None:
    """Keep that a token was used just now, unless that was kept within the last hour."""
    old = or_(PersonalToken.last_used_at.is_(None), PersonalToken.last_used_at < func.now() - USED_HOURLY)
    db.execute(update(PersonalToken).where(PersonalToken.id == token_id, old).values(last_used_at=func.now()))
