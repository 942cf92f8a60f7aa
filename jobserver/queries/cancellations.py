"""Who wants which jobs of a request cancelled, and which can still be (spec: rap 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from jobserver.models import Cancellation, Job, JobRequest, User
from jobserver.queries.job_requests import ACTIVE, COLUMNS, JobRow


@dataclass(frozen=True)
class CancellationRow:
    """Somebody's wish to cancel; ``going_on`` are those of its jobs that have not ended yet."""

    actions: Sequence[str]
    by: str
    created_at: datetime
    sent_at: datetime | None
    refusal: str | None
    going_on: Sequence[str]


def cancellations(db: Session, job_request_id: int) -> list[CancellationRow]:
    """All cancellations of a request, oldest first."""
    going_on = (
        select(func.array_agg(aggregate_order_by(Job.action, Job.action)))
        .where(
            Job.job_request_id == Cancellation.job_request_id,
            Job.action == func.any(Cancellation.actions),
            ACTIVE,
        )
        .correlate(Cancellation)
        .scalar_subquery()
    )
    statement = (
        select(
            Cancellation.actions,
            User.username,
            Cancellation.created_at,
            Cancellation.sent_at,
            Cancellation.refusal,
            going_on,
        )
        .join(User, User.id == Cancellation.created_by_id)
        .where(Cancellation.job_request_id == job_request_id)
        .order_by(Cancellation.id)
    )
    return [
        CancellationRow(actions, by, created_at, sent_at, refusal, active or ())
        for actions, by, created_at, sent_at, refusal, active in db.execute(statement)
    ]


def cancelled_by(rows: Sequence[CancellationRow]) -> dict[str, str]:
    """Who last had each action cancelled, by action; refused wishes do not count."""
    return {action: row.by for row in rows if row.refusal is None for action in row.actions}


@dataclass(frozen=True)
class Cancellable:
    """Jobs that can still be cancelled: how many, and the first of them, running ones first."""

    total: int
    jobs: Sequence[JobRow]


def cancellable(db: Session, job_request: JobRequest, limit: int = 50) -> Cancellable:
    """Active jobs whose cancellation nobody has asked for yet (spec: rap 5)."""
    asked_before = cast(list(job_request.cancelled_actions), ARRAY(Text()))
    statement = (
        select(func.count().over(), *COLUMNS)
        .where(Job.job_request_id == job_request.id, ACTIVE, Job.action != func.all(asked_before))
        .order_by(Job.started_at.asc().nulls_last(), Job.action)
        .limit(limit)
    )
    rows = db.execute(statement).all()
    return Cancellable(rows[0][0] if rows else 0, [JobRow(*row[1:]) for row in rows])


def actions_of(db: Session, job_request_id: int) -> frozenset[str]:
    """The actions of which the request has a job."""
    return frozenset(db.scalars(select(Job.action).where(Job.job_request_id == job_request_id)))
