"""Who changed a thing or a person last, from the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditType, Base, User


@dataclass(frozen=True)
class Change:
    """Somebody's change; ``who`` is their name."""

    who: str
    at: datetime


def last_change(db: Session, thing: Base, *types: AuditType, fields: Sequence[str] = ()) -> Change | None:
    """The last recorded change of these kinds (to these fields, if any are given); None if there is none."""
    event, key = AuditableEvent, str(thing.id)  # type: ignore[attr-defined]
    to_fields = (
        or_(event.target_field.in_(fields), event.changes.has_any(array(fields))) if fields else true()
    )
    model = event.target_model == f"jobserver.{type(thing).__name__}"
    return _last(db, types, model, event.target_id == key, to_fields)


def last_change_to(db: Session, user: User, *types: AuditType) -> Change | None:
    """The last recorded change of these kinds to the person; None if there is none."""
    return _last(db, types, AuditableEvent.target_user == user.username)


def _last(db: Session, types: Sequence[AuditType], *which: ColumnElement[bool]) -> Change | None:
    event = AuditableEvent
    statement = (
        select(func.coalesce(User.fullname, event.created_by), event.created_at)
        .outerjoin(User, User.id == event.actor_id)
        .where(event.type.in_(types), *which)
        .order_by(event.id.desc())
        .limit(1)
    )
    row = db.execute(statement).one_or_none()
    return Change(*row) if row else None
