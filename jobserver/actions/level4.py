"""Level 4 tokens: making one, and signing in with one (spec: airlock 3.1, 3.2, 12; access 4.6, 8.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import case, null, update
from sqlalchemy.orm import Session

from jobserver import queue
from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Refused
from jobserver.models import AuditType, Backend, User, utcnow
from jobserver.queries import level4 as queries
from jobserver.queries.level4 import Obstacle
from jobserver.queue import Task
from jobserver.security import level4
from jobserver.security.callers import BackendCaller
from jobserver.security.identity import Identity

LIFETIME = timedelta(hours=1)
# So many wrong tries end a token.
MOST_FAILURES = 5
# After so many failures of one backend within queries.MEMORY it is not listened to for a while.
MOST_FAILURES_OF_BACKEND = 50

log = structlog.get_logger(__name__)


class NotEligible(Refused):
    """The person cannot have a token."""

    def __init__(self) -> None:
        super().__init__("token", "No token was made: your account cannot sign in to Level 4.")


class Reason(StrEnum):
    """Why a token was not taken, for logs; callers are never told."""

    NO_TOKEN = "no token"  # noqa: S105
    EXPIRED = "expired token"
    WRONG = "wrong token"
    USED = "token used meanwhile"
    TOO_MANY = "too many failures of this backend"


@dataclass(frozen=True)
class NewToken:
    """A token, which is kept nowhere, and when it ends."""

    token: str
    expires_at: datetime


def may_have_token(identity: Identity) -> bool:
    """Whether somebody may make a token: they sign in with GitHub and have access to a backend."""
    return identity.uses_github and bool(identity.backends)


def create_token(db: Session, identity: Identity, key: str, *, now: datetime | None = None) -> NewToken:
    """Make a token in place of the one before; a mail tells its owner. Raises :class:`NotEligible`.

    ``key`` is the site's secret key.
    """
    if not may_have_token(identity):
        raise NotEligible
    now = now or utcnow()
    token = level4.new_token()
    user = db.get_one(User, identity.user_id, with_for_update=True, populate_existing=True)
    user.login_token = level4.hashed(token, key)
    user.login_token_expires_at = now + LIFETIME
    user.login_token_failures = 0
    record(db, AuditType.LEVEL4_TOKEN_CREATED, by=identity, target=user, target_user=user)
    queue.defer(db, Task.MAIL_LEVEL4_TOKEN_CREATED, user_id=user.id, at=now.isoformat())
    return NewToken(token, user.login_token_expires_at)


def authenticate(
    db: Session,
    backend: BackendCaller,
    name: str,
    token: str,
    keys: Sequence[str],
    *,
    now: datetime | None = None,
) -> User | None:
    """The user of this username or email address, if the token is theirs; it is used up then.

    None if not, whatever the reason: it takes the same statements and the same time for all of them, and what
    is written must be committed then, too. ``keys``: the site's secret key, and those before it.
    """
    now = now or utcnow()
    attempt = queries.attempt(db, name, backend.id, now)
    if attempt.failures >= MOST_FAILURES_OF_BACKEND:
        # Nothing is written: the token does not suffer, and asking again does not make the wait longer.
        log.warning("level4_login_failed", backend=backend.slug, reason=Reason.TOO_MANY)
        return None
    user = attempt.person.user if attempt.person else None
    fits = level4.matches(token, user.login_token if user else None, keys)
    obstacle = attempt.person.obstacle if attempt.person else Obstacle.UNKNOWN
    reason = obstacle or (_fault(user, fits=fits, now=now) if user else None)
    if user and not reason and _consume(db, user, now):
        _welcome(db, backend, user, now)
        return user
    _fail(db, backend, user, reason or Reason.USED, now)
    return None


def clear_expired(db: Session, *, now: datetime | None = None) -> int:
    """Forget the tokens whose time is over; how many there were."""
    expired = update(User).where(User.login_token_expires_at < (now or utcnow()))
    nothing = {"login_token": None, "login_token_expires_at": None, "login_token_failures": 0}
    ended = db.scalars(
        expired.values(nothing).returning(User.id).execution_options(synchronize_session=False)
    )
    return len(ended.all())


def _fault(user: User, *, fits: bool, now: datetime) -> Reason | None:
    if user.login_token is None or user.login_token_expires_at is None:
        return Reason.NO_TOKEN
    if now > user.login_token_expires_at:
        return Reason.EXPIRED
    return None if fits else Reason.WRONG


def _consume(db: Session, user: User, now: datetime) -> bool:
    """Use the token up; False if somebody else has just done so."""
    statement = (
        update(User)
        .where(
            User.id == user.id,
            User.login_token == user.login_token,
            User.login_token_expires_at >= now,
            User.disabled_at.is_(None),
        )
        .values(login_token=None, login_token_expires_at=None, login_token_failures=0)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    return db.scalar(statement) is not None


def _welcome(db: Session, backend: BackendCaller, user: User, now: datetime) -> None:
    record(
        db,
        AuditType.LEVEL4_LOGIN,
        by=user,
        target=user,
        target_user=user,
        parent=_place(backend),
        at=now,
    )
    at = now.isoformat()
    queue.defer(db, Task.MAIL_LEVEL4_TOKEN_USED, user_id=user.id, backend=backend.name, at=at)
    log.info("level4_login", backend=backend.slug, user=user.username)


def _place(backend: BackendCaller) -> Backend:
    """What an audit event needs to know of the backend, without asking for its row."""
    return Backend(id=backend.id, name=backend.name)


def _fail(
    db: Session, backend: BackendCaller, user: User | None, reason: Obstacle | Reason, now: datetime
) -> None:
    """Note the failure; a wrong try counts against the token, the last one ends it.

    What was typed is not noted: it may be a token in the wrong field.
    """
    log.warning("level4_login_failed", backend=backend.slug, user=user and user.username, reason=reason)
    place = _place(backend)
    by = Actor(f"backend {backend.slug}")
    if reason is not Reason.USED:
        counts = user is not None and reason is Reason.WRONG
        failures = _count_failure(db, user.id if user and counts else 0, user.login_token if user else None)
        if user and failures >= MOST_FAILURES:
            record(
                db, AuditType.LEVEL4_TOKEN_VOIDED, by=by, target=user, target_user=user, parent=place, at=now
            )
            at = now.isoformat()
            queue.defer(db, Task.MAIL_LEVEL4_TOKEN_VOID, user_id=user.id, backend=backend.name, at=at)
    record(
        db,
        AuditType.LEVEL4_LOGIN_FAILED,
        by=by,
        target=user,
        target_user=user,
        parent=place,
        new=reason,
        at=now,
    )
    db.flush()


def _count_failure(db: Session, user_id: int, stored: str | None) -> int:
    """How many wrong tries the token has seen with this one; 0 for no user's."""
    failures = User.login_token_failures + 1
    is_last = failures >= MOST_FAILURES
    statement = (
        update(User)
        .where(User.id == user_id, User.login_token == (stored or ""))
        .values(
            login_token_failures=failures,
            login_token=case((is_last, null()), else_=User.login_token),
            login_token_expires_at=case((is_last, null()), else_=User.login_token_expires_at),
        )
        .returning(User.login_token_failures)
        .execution_options(synchronize_session=False)
    )
    return db.scalar(statement) or 0
