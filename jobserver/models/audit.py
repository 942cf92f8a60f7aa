"""The audit trail: append-only, without foreign keys, so that it outlives what it speaks of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from jobserver.models.base import Base, one_of, utcnow, words_index
from jobserver.models.choices import AuditSource, AuditType


def _text() -> Mapped[str]:
    return mapped_column(default="", server_default="")


class AuditableEvent(Base):
    """One recorded change (spec: domain 3.22). The database refuses to change or delete a row.

    People are recorded by name and by id; ``target_label`` and ``parent_label`` are what target and parent
    were called then. ``changes`` has for each field what it was and what it became, ``reason`` what the actor
    said.
    """

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
    target_label: Mapped[str] = _text()
    parent_label: Mapped[str] = _text()
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    reason: Mapped[str] = _text()
    source: Mapped[str] = mapped_column(default=AuditSource.SERVICE, server_default="service")

    __table_args__ = (
        one_of("type", AuditType),
        Index("ix_auditable_event_parent", "parent_model", "parent_id", text("id DESC")),
        Index("ix_auditable_event_target", "target_model", "target_id", text("id DESC")),
        Index("ix_auditable_event_target_user", "target_user", text("id DESC")),
        Index("ix_auditable_event_created_by", "created_by", text("id DESC")),
        Index("ix_auditable_event_created_at", "created_at", "id"),
        Index("ix_auditable_event_type", "type", text("id DESC")),
        Index("ix_auditable_event_source", "source", "created_at", "id"),
        Index("ix_auditable_event_actor_id", "actor_id", text("id DESC")),
        Index("ix_auditable_event_target_user_id", "target_user_id", text("id DESC")),
        words_index("auditable_event", "target_label", "parent_label"),
        one_of("source", AuditSource),
    )
