"""Closing accounts, and opening them again: users are never deleted."""

from sqlalchemy.orm import Session

from jobserver.actions import administrators, personal_tokens
from jobserver.actions.audit import Actor, record
from jobserver.actions.naming import Refused
from jobserver.actions.users import UNLIKE_A_KEY, Person
from jobserver.models import AuditType, User, utcnow
from jobserver.security import sessions
from jobserver.security.identity import Identity


def disable(db: Session, user: User, *, by: User | Identity, reason: str = "") -> bool:
    """Close the account: every session and token ends now. Returns False if it was closed before.

    Raises :class:`Refused` if the account is one's own, or the last administrator's.
    """
    db.flush()
    db.refresh(user, ["roles", "disabled_at"], with_for_update=UNLIKE_A_KEY)
    if user.disabled_at is not None:
        return False
    actor = Actor.of(by)
    if actor.user_id == user.id:
        raise Refused("username", "You cannot disable your own account.")
    administrators.keep_one(db, user)
    user.disabled_at = utcnow()
    user.disabled_by_id = actor.user_id
    user.pat_token = user.pat_expires_at = None
    user.login_token = user.login_token_expires_at = None
    sessions.end_all(db, user.id)
    record(db, AuditType.USER_DISABLED, by=by, target=user, target_user=user, reason=reason)
    personal_tokens.revoke_all(db, user, by=by, reason=reason)
    return True


def enable(db: Session, user: User, *, by: Person) -> bool:
    """Open a closed account again. Returns False if it was open."""
    db.flush()
    db.refresh(user, ["disabled_at", "disabled_by_id"], with_for_update=UNLIKE_A_KEY)
    if user.disabled_at is None:
        return False
    user.disabled_at = user.disabled_by_id = None
    record(db, AuditType.USER_ENABLED, by=by, target=user, target_user=user)
    return True
