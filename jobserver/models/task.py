"""What the queue itself does not keep of a task."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from jobserver.models.base import Base, utcnow


class TaskRecord(Base):
    """A task's cause, which asks for it once, and what last went wrong with it.

    ``key`` names the cause: a second task with the same is not deferred. ``job_id`` is the queue's.
    """

    __tablename__ = "task_record"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str | None] = mapped_column(unique=True)
    job_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    last_error: Mapped[str] = mapped_column(default="", server_default="")
    failed_at: Mapped[datetime | None]
