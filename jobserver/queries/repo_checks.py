"""Which repositories GitHub should be asked about again."""

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jobserver.models import Repo
from jobserver.queue import Task

OLD = timedelta(hours=1)

_WAITING = text(
    "NOT EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = :task AND status IN ('todo', 'doing')"
    " AND args ->> 'repo_id' = repo.id::text)"
)


def due(db: Session, now: datetime, limit: int) -> list[int]:
    """Ids of repositories that nobody has asked about for an hour and nobody is about to; oldest first."""
    statement = (
        select(Repo.id)
        .where(Repo.checked_at.is_(None) | (Repo.checked_at < now - OLD))
        .where(_WAITING.bindparams(task=Task.CHECK_REPOSITORY.value))
        .order_by(Repo.checked_at.nulls_first(), Repo.id)
        .limit(limit)
    )
    return list(db.scalars(statement))
