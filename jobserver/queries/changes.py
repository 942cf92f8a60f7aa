"""Who changed a thing last, from the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jobserver.models import AuditableEvent, AuditType, Project, User, Workspace


@dataclass(frozen=True)
class Change:
    """Somebody's change; ``who`` is their name."""

    who: str
    at: datetime


def last_change(
    db: Session, thing: Workspace | Project, type_: AuditType, fields: Sequence[str]
) -> Change | None:
    """The last recorded change of this kind to these fields; None if there is none."""
    event = AuditableEvent
    name = func.coalesce(User.fullname, event.created_by)
    statement = (
        select(name, event.created_at)
        .outerjoin(User, User.id == event.actor_id)
        .where(
            event.target_model == f"jobserver.{type(thing).__name__}",
            event.target_id == str(thing.id),
            event.type == type_,
            event.target_field.in_(fields),
        )
        .order_by(event.id.desc())
        .limit(1)
    )
    row = db.execute(statement).one_or_none()
    return Change(*row) if row else None
