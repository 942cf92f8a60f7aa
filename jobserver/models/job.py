"""Jobs: one run of one action, as the RAP controller reports it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Computed, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.base import Base, utcnow
from jobserver.models.job_request import JobRequest

# The controller's word is kept in `status` as it came; `state` is what we count by.
STATE = """CASE
    WHEN lower(status) = 'failed' AND status_code = 'cancelled_by_user' THEN 'cancelled'
    WHEN lower(status) IN ('pending', 'running', 'succeeded', 'failed') THEN lower(status)
    WHEN status = '' THEN 'pending'
    ELSE 'unknown' END"""


class Job(Base):
    """One run of one action (spec: domain 3.13); written only from what the controller reports.

    Workspace and backend are copies of the request's, held equal by the composite foreign key:
    they make "the last run of this action here" one index look-up.
    """

    __tablename__ = "job"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_request_id: Mapped[int]
    workspace_id: Mapped[int]
    backend_id: Mapped[int]
    identifier: Mapped[str] = mapped_column(unique=True)
    action: Mapped[str]
    run_command: Mapped[str] = mapped_column(default="", server_default="")
    status: Mapped[str]
    status_code: Mapped[str] = mapped_column(default="", server_default="")
    status_message: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(Computed(STATE, persisted=True))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    missing_since: Mapped[datetime | None]
    trace_context: Mapped[dict[str, Any] | None]
    metrics: Mapped[dict[str, Any] | None]

    job_request: Mapped[JobRequest] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        ForeignKeyConstraint(
            ["job_request_id", "workspace_id", "backend_id"],
            ["job_request.id", "job_request.workspace_id", "job_request.backend_id"],
            ondelete="RESTRICT",
        ),
        Index("ix_job_job_request_id_state", "job_request_id", "state"),
        Index(
            "ix_job_last_run",
            "workspace_id",
            "backend_id",
            "action",
            text("created_at DESC"),
            text("id DESC"),
        ),
        Index(
            "ix_job_action",
            "action",
            text("job_request_id DESC"),
            postgresql_ops={"action": "text_pattern_ops"},
        ),
        Index("ix_job_identifier_prefix", "identifier", postgresql_ops={"identifier": "text_pattern_ops"}),
        Index(
            "ix_job_queue", "backend_id", "state", postgresql_where=text("state IN ('pending', 'running')")
        ),
    )

    @property
    def is_active(self) -> bool:
        """Whether the job may still move."""
        return self.state in {"pending", "running"} or (self.state == "unknown" and self.completed_at is None)


class ActionName(Base):
    """Every name of an action that ever ran, once: what a search among actions looks through."""

    __tablename__ = "action_name"

    name: Mapped[str] = mapped_column(primary_key=True)
