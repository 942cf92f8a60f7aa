"""Who wants which jobs of a request cancelled, and which can still be (spec: rap 5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from jobserver.models import Cancellation, Job, JobRequest, User
from jobserver.queries.job_requests import ACTIVE, JobRow


@dataclass(frozen=True)
class CancellationRow:
    """Somebody's wish to cancel; ``going_on`` are those of its jobs that have not ended yet."""

    id: int
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
            Cancellation.id,
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
        CancellationRow(id_, actions, by, created_at, sent_at, refusal, active or ())
        for id_, actions, by, created_at, sent_at, refusal, active in db.execute(statement)
    ]


def cancelled_by(rows: Sequence[CancellationRow]) -> dict[str, str]:
    """Who last had each action cancelled, by action; refused wishes do not count."""
    return {action: row.by for row in rows if row.refusal is None for action in row.actions}


@dataclass(frozen=True)
class Cancellable:
    """Jobs that can still be cancelled: how many, and the first of them, running ones first."""

    total: int
    jobs: Sequence[JobRow]


def cancellable(job_request: JobRequest, rows: Iterable[JobRow], limit: int = 50) -> Cancellable:
    """Active jobs whose cancellation nobody has asked for yet (spec: rap 5); ``rows`` are all of them."""
    asked_before = set(job_request.cancelled_actions)
    found = [row for row in rows if row.is_active and row.action not in asked_before]
    return Cancellable(len(found), found[:limit])


def actions_of(db: Session, job_request_id: int) -> frozenset[str]:
    """The actions of which the request has a job."""
    return frozenset(db.scalars(select(Job.action).where(Job.job_request_id == job_request_id)))
