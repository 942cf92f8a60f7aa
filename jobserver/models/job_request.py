"""Job requests: what somebody asked to be run, and what became of the asking."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from jobserver.models.backend import Backend
from jobserver.models.base import Base, one_of, utcnow
from jobserver.models.choices import ACTIVE_STATUSES, HappeningKind, JobRequestStatus
from jobserver.models.who_when import Created
from jobserver.models.workspace import Workspace

# A request that failed only because it was cancelled is shown, counted and found as cancelled.
ONLY_CANCELLED = "status = 'failed' AND jobs_cancelled > 0 AND jobs_failed = 0"

_ACTIVE = text("status IN ({})".format(", ".join(f"'{status}'" for status in ACTIVE_STATUSES)))


def _count() -> Any:
    return mapped_column(default=0, server_default="0")


class JobRequest(Created, Base):
    """One submission: a workspace, a backend, a commit and actions (spec: domain 3.12, rap 3).

    ``status`` and the counts are derived from the jobs, in the transaction that changes the jobs,
    by :mod:`jobserver.actions.job_status`. ``settled_at`` is set once the controller has answered
    the create call one way or the other; until then the call is repeated. ``rerun_of_id`` is the request
    that this one repeats.
    """

    __tablename__ = "job_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(unique=True)
    backend_id: Mapped[int] = mapped_column(ForeignKey("backend.id", ondelete="RESTRICT"))
    workspace_id: Mapped[int] = mapped_column(ForeignKey("workspace.id", ondelete="RESTRICT"))
    requested_actions: Mapped[list[str]]
    cancelled_actions: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    force_run_dependencies: Mapped[bool] = mapped_column(default=False, server_default="false")
    sha: Mapped[str]
    branch: Mapped[str] = mapped_column(default="", server_default="")
    commit_message: Mapped[str] = mapped_column(default="", server_default="")
    project_definition: Mapped[str] = mapped_column(default="", server_default="", deferred=True)
    codelists_ok: Mapped[bool] = mapped_column(default=True, server_default="true")
    will_notify: Mapped[bool] = mapped_column(default=False, server_default="false")
    analysis_scope: Mapped[dict[str, Any] | None]

    status: Mapped[str] = mapped_column(default=JobRequestStatus.UNKNOWN, server_default="unknown")
    status_message: Mapped[str | None]
    jobs_pending: Mapped[int] = _count()
    jobs_running: Mapped[int] = _count()
    jobs_succeeded: Mapped[int] = _count()
    jobs_failed: Mapped[int] = _count()
    jobs_cancelled: Mapped[int] = _count()
    jobs_unknown: Mapped[int] = _count()
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    jobs_updated_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    rerun_of_id: Mapped[int | None] = mapped_column(ForeignKey("job_request.id", ondelete="RESTRICT"))

    settled_at: Mapped[datetime | None]
    submit_attempts: Mapped[int] = _count()
    last_submitted_at: Mapped[datetime | None]
    unrecognised_since: Mapped[datetime | None]
    unrecognised_polls: Mapped[int] = _count()

    backend: Mapped[Backend] = relationship(lazy="raise_on_sql")
    workspace: Mapped[Workspace] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        one_of("status", JobRequestStatus),
        CheckConstraint(r"identifier ~ '^[a-z0-9]{16}$'", name="identifier_form"),
        CheckConstraint("cardinality(requested_actions) > 0", name="requests_an_action"),
        CheckConstraint(r"sha = '' OR sha ~ '^[0-9a-f]{40}$'", name="sha_form"),
        CheckConstraint(
            "least(jobs_pending, jobs_running, jobs_succeeded, jobs_failed, jobs_cancelled, jobs_unknown)"
            " >= 0",
            name="counts_not_negative",
        ),
        UniqueConstraint("id", "workspace_id", "backend_id"),
        Index("ix_job_request_workspace_id_id", "workspace_id", text("id DESC")),
        Index("ix_job_request_backend_id_id", "backend_id", text("id DESC")),
        Index("ix_job_request_created_by_id_id", "created_by_id", text("id DESC")),
        Index("ix_job_request_created_at", "created_at"),
        Index("ix_job_request_active", "id", postgresql_where=_ACTIVE),
        Index(
            "ix_job_request_status",
            "status",
            text("id DESC"),
            postgresql_include=["jobs_cancelled", "jobs_failed"],
        ),
        # What logs are filtered by, so that they are counted and paged without reading the rows.
        Index(
            "ix_job_request_log",
            text("id DESC"),
            postgresql_include=[
                "status",
                "backend_id",
                "workspace_id",
                "created_by_id",
                "created_at",
                "jobs_cancelled",
                "jobs_failed",
            ],
        ),
        Index("ix_job_request_cancelled", text("id DESC"), postgresql_where=text(ONLY_CANCELLED)),
        Index("ix_job_request_sha", "sha", postgresql_ops={"sha": "text_pattern_ops"}),
        Index(
            "ix_job_request_identifier_prefix",
            "identifier",
            postgresql_ops={"identifier": "text_pattern_ops"},
        ),
        Index("ix_job_request_rerun_of_id", "rerun_of_id", postgresql_where=text("rerun_of_id IS NOT NULL")),
        Index("ix_job_request_unsettled", "id", postgresql_where=text("settled_at IS NULL")),
    )

    @hybrid_property
    def jobs_total(self) -> int:
        """How many jobs are known."""
        return self.jobs_finished + self.jobs_pending + self.jobs_running

    @hybrid_property
    def jobs_finished(self) -> int:
        """How many jobs have ended, whichever way."""
        return self.jobs_succeeded + self.jobs_failed + self.jobs_cancelled + self.jobs_unknown

    @hybrid_property
    def only_cancelled(self) -> bool:
        """Whether jobs were cancelled and none failed: a request that failed so is shown as cancelled."""
        return (self.jobs_cancelled > 0) & (self.jobs_failed == 0)

    @property
    def is_active(self) -> bool:
        """Whether there may still be news."""
        return self.status in ACTIVE_STATUSES


class Cancellation(Created, Base):
    """Somebody's wish that actions of a request be cancelled, until the controller has it (spec: rap 5).

    ``sent_at`` is set when the controller accepted it, ``refusal`` when it said no.
    """

    __tablename__ = "cancellation"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_request_id: Mapped[int] = mapped_column(ForeignKey("job_request.id", ondelete="RESTRICT"), index=True)
    actions: Mapped[list[str]]
    sent_actions: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    sent_at: Mapped[datetime | None]
    refusal: Mapped[str | None]

    job_request: Mapped[JobRequest] = relationship(lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("cardinality(actions) > 0", name="names_an_action"),
        CheckConstraint("sent_at IS NULL OR refusal IS NULL", name="sent_or_refused"),
        Index(
            "ix_cancellation_unsent",
            "id",
            postgresql_where=text("sent_at IS NULL AND refusal IS NULL"),
        ),
    )


class Happening(Base):
    """Something that happened to a request or to one of its jobs, as it was noticed; append-only.

    ``job``: a job was seen in a new ``status`` and ``status_code``; ``note`` is the status before, empty when
    it was first seen. ``sent``, ``no_answer``, ``accepted``,
    ``refused`` and ``nothing_to_do``: what became of asking the controller, the reason in ``note``.
    ``mailed`` and ``not_mailed``: a mail, named in ``note``, went to the requester or did not, for a reason
    that ``status_code`` names.
    """

    __tablename__ = "happening"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_request_id: Mapped[int] = mapped_column(ForeignKey("job_request.id", ondelete="RESTRICT"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="RESTRICT"))
    at: Mapped[datetime] = mapped_column(default=utcnow)
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(default="", server_default="")
    status_code: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")

    __table_args__ = (
        one_of("kind", HappeningKind),
        CheckConstraint("(kind = 'job') = (job_id IS NOT NULL)", name="names_a_job"),
        Index("ix_happening_job_request_id_id", "job_request_id", text("id DESC")),
        Index("ix_happening_job_id_id", "job_id", "id", postgresql_where=text("job_id IS NOT NULL")),
    )
