"""Who changed a thing last, from the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, true
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditType, Base, User


@dataclass(frozen=True)
class Change:
    """Somebody's change; ``who`` is their name."""

    who: str
    at: datetime


def last_change(db: Session, thing: Base, type_: AuditType, fields: Sequence[str] = ()) -> Change | None:
    """The last recorded change of this kind (to these fields, if any are given); None if there is none."""
    event, key = AuditableEvent, str(thing.id)  # type: ignore[attr-defined]
    to_fields = (
        or_(event.target_field.in_(fields), event.changes.has_any(array(fields))) if fields else true()
    )
    name = func.coalesce(User.fullname, event.created_by)
    statement = (
        select(name, event.created_at)
        .outerjoin(User, User.id == event.actor_id)
        .where(
            event.target_model == f"jobserver.{type(thing).__name__}",
            event.target_id == key,
            event.type == type_,
            to_fields,
        )
        .order_by(event.id.desc())
        .limit(1)
    )
    row = db.execute(statement).one_or_none()
    return Change(*row) if row else None
