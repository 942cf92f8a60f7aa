"""Backends: the secure environments in which jobs run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.base import Base, utcnow
from jobserver.models.user import User
from jobserver.models.who_when import person


class Backend(Base):
    """A secure environment (spec: domain 3.3). Its token is kept as a digest only.

    While a token is being replaced the previous one is valid until ``previous_token_expires_at``.
    The times at which the tokens were used last are at most five minutes behind.
    While ``creation_paused_at`` is set nobody can ask for jobs there; ``creation_pause_reason`` says why.
    """

    __tablename__ = "backend"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=False, server_default="false")
    token_digest: Mapped[str | None] = mapped_column(unique=True)
    previous_token_digest: Mapped[str | None] = mapped_column(unique=True)
    previous_token_expires_at: Mapped[datetime | None]
    token_used_at: Mapped[datetime | None]
    previous_token_used_at: Mapped[datetime | None]
    alert_timeout: Mapped[timedelta] = mapped_column(default=timedelta(minutes=5), server_default="5 minutes")
    rap_api_state: Mapped[dict[str, Any] | None]
    last_seen_at: Mapped[datetime | None]
    last_seen_maintenance_mode: Mapped[datetime | None]
    is_in_maintenance_mode: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_paused: Mapped[bool] = mapped_column(default=False, server_default="false")
    creation_paused_at: Mapped[datetime | None]
    creation_paused_by_id: Mapped[int | None] = person(nullable=True)
    creation_pause_reason: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)

    __table_args__ = (
        CheckConstraint(r"slug ~ '^[-a-zA-Z0-9_]{1,255}$'", name="slug_form"),
        CheckConstraint("alert_timeout > interval '0'", name="alert_timeout_positive"),
        CheckConstraint(
            "(previous_token_digest IS NULL) = (previous_token_expires_at IS NULL)",
            name="previous_token_has_an_end",
        ),
    )

    def is_missing(self, now: datetime) -> bool:
        """Whether the backend has been silent for its alert timeout; never so before it was first seen."""
        return self.last_seen_at is not None and now - self.last_seen_at >= self.alert_timeout


class BackendMembership(Base):
    """Leave to run jobs on a backend (spec: domain 3.4), until ``ends_at`` if that is set."""

    __tablename__ = "backend_membership"
    unpaired = frozenset({"created"})

    id: Mapped[int] = mapped_column(primary_key=True)
    backend_id: Mapped[int] = mapped_column(ForeignKey("backend.id", ondelete="RESTRICT"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="RESTRICT"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_by_id: Mapped[int | None] = person(nullable=True)
    ends_at: Mapped[datetime | None] = mapped_column(index=True)

    backend: Mapped[Backend] = relationship(lazy="raise_on_sql")
    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise_on_sql")

    __table_args__ = (
        Index("uq_backend_membership_backend_id_user_id", "backend_id", "user_id", unique=True),
    )


class Stats(Base):
    """When a backend was last seen through a given controller (spec: domain 3.21)."""

    __tablename__ = "stats"

    id: Mapped[int] = mapped_column(primary_key=True)
    backend_id: Mapped[int] = mapped_column(ForeignKey("backend.id", ondelete="RESTRICT"))
    url: Mapped[str]
    api_last_seen: Mapped[datetime | None]

    __table_args__ = (Index("uq_stats_backend_id_url", "backend_id", "url", unique=True),)


class ControllerContact(Base):
    """When we last reached the RAP controller, and what last went wrong; a single row.

    Without it a stopped service would look like missing backends.
    """

    __tablename__ = "controller_contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    reached_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(default="", server_default="")

    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)
