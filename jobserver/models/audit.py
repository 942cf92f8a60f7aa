"""The audit trail: append-only, without foreign keys, so that it outlives what it speaks of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from jobserver.models.base import Base, one_of, utcnow
from jobserver.models.choices import AuditType


def _text() -> Mapped[str]:
    return mapped_column(default="", server_default="")


class AuditableEvent(Base):
    """One recorded change (spec: domain 3.22). People are recorded by name and by id."""

    __tablename__ = "auditable_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    target_model: Mapped[str] = _text()
    target_field: Mapped[str] = _text()
    target_id: Mapped[str] = _text()
    target_user: Mapped[str] = _text()
    parent_model: Mapped[str] = _text()
    parent_id: Mapped[str] = _text()
    old: Mapped[str] = _text()
    new: Mapped[str] = _text()
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by: Mapped[str] = _text()
    target_user_id: Mapped[int | None]
    actor_id: Mapped[int | None]

    __table_args__ = (
        one_of("type", AuditType),
        Index("ix_auditable_event_parent", "parent_model", "parent_id", text("id DESC")),
        Index("ix_auditable_event_target", "target_model", "target_id", text("id DESC")),
        Index("ix_auditable_event_target_user", "target_user", text("id DESC")),
        Index("ix_auditable_event_created_by", "created_by", text("id DESC")),
        Index("ix_auditable_event_created_at", "created_at", "id"),
    )
