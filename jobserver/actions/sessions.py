"""Ending one's own sessions (spec: access 8.1.8)."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from jobserver.actions.audit import record
from jobserver.models import AuditType, User, UserSession
from jobserver.security.identity import Identity
from jobserver.templating.browsers import browser


def end(db: Session, identity: Identity, session_id: int) -> str | None:
    """Sign one of the person's browsers out and return its name; None if none of theirs has this id."""
    mine = (UserSession.id == session_id, UserSession.user_id == identity.user_id)
    row = db.scalar(select(UserSession).where(*mine).with_for_update())
    if row is None:
        return None
    name = browser(row.user_agent)
    _record(db, identity, f"{name}, {row.address}" if row.address else name, row)
    db.delete(row)
    db.flush()
    return name


def end_others(db: Session, identity: Identity) -> int:
    """Sign the person out everywhere but in this browser; returns how many sessions ended."""
    others = (UserSession.user_id == identity.user_id, UserSession.id != identity.session_id)
    ended = db.scalars(delete(UserSession).where(*others).returning(UserSession.id)).all()
    if ended:
        _record(db, identity, f"all others ({len(ended)})")
    return len(ended)


def _record(db: Session, identity: Identity, what: str, row: UserSession | None = None) -> None:
    user = db.get_one(User, identity.user_id)
    record(db, AuditType.USER_SESSION_ENDED, by=identity, target=row, target_user=user, old=what)
