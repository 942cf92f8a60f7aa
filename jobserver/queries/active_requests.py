"""What the RAP status service has to see to: requests to ask about, to submit again, to cancel.

Only small columns are read; the text of ``project.yaml`` never is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, ColumnElement, Float, Interval, Text, and_, any_, cast, func, select, union
from sqlalchemy.orm import Session

from jobserver.models import ACTIVE_STATUSES, Cancellation, Job, JobRequest, JobRequestStatus

# Requests older than this are asked about only while they have an active job.
RECENT = timedelta(weeks=52)
# How long a request that failed without any job is watched for jobs that appear after all.
SECOND_LOOK = timedelta(days=1)
# The background worker goes first; what it has left undone for so long, the service does.
HEAD_START = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, order=True)
class Asked:
    """A request as the controller is asked about it."""

    id: int
    identifier: str


def to_ask_about(db: Session, now: datetime) -> list[Asked]:
    """Requests of which there may be news, oldest first (spec: rap 4.1 and 11).

    Those with an active status; those with an active job, whatever their age or status; and those that
    failed without a job although the controller may have made some. A request that was never sent is
    not asked about, nor one whose jobs have all ended in words that we do not know.
    """
    request = JobRequest
    active = select(request.id, request.identifier).where(
        request.status.in_(ACTIVE_STATUSES),
        request.created_at > now - RECENT,
        (request.settled_at.is_not(None) | request.last_submitted_at.is_not(None)),
        ~and_(request.status == JobRequestStatus.UNKNOWN, request.completed_at.is_not(None)),
    )
    with_active_job = select(request.id, request.identifier).where(
        request.id.in_(select(Job.job_request_id).where(Job.state.in_(("pending", "running"))))
    )
    may_be_wrong = select(request.id, request.identifier).where(
        request.status == JobRequestStatus.FAILED,
        request.created_at > now - SECOND_LOOK,
        (request.submit_attempts > 1) | request.unrecognised_since.is_not(None),
        request.jobs_failed + request.jobs_cancelled + request.jobs_unknown == 0,
    )
    found = db.execute(union(active, with_active_job, may_be_wrong))
    return sorted(Asked(id_, identifier) for id_, identifier in found)


def by_identifier(db: Session, identifiers: Iterable[str], *, backend_id: int | None = None) -> list[Asked]:
    """The requests of these RAP ids, as far as we know them; of one backend, if it is named."""
    named = any_(cast(list(identifiers), ARRAY(Text)))
    wanted = select(JobRequest.id, JobRequest.identifier).where(JobRequest.identifier == named)
    if backend_id is not None:
        wanted = wanted.where(JobRequest.backend_id == backend_id)
    return sorted(Asked(id_, identifier) for id_, identifier in db.execute(wanted))


def undecided() -> ColumnElement[bool]:
    """Of requests: those on which the controller has not decided, as far as we know."""
    waiting = (JobRequestStatus.UNKNOWN, JobRequestStatus.UNKNOWN_ERROR_CREATING_JOBS)
    return and_(JobRequest.settled_at.is_(None), JobRequest.status.in_(waiting))


def _due_at() -> ColumnElement[datetime]:
    """When the next attempt is due: 10 seconds after the first, each pause twice the one before."""
    doublings = func.least(func.greatest(JobRequest.submit_attempts - 1, 0), 10)
    seconds = func.least(
        HEAD_START.total_seconds() * func.power(2.0, doublings, type_=Float), LONGEST_PAUSE.total_seconds()
    )
    pause = func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=Interval)
    due: ColumnElement[datetime] = func.coalesce(JobRequest.last_submitted_at, JobRequest.created_at) + pause
    return due


def to_submit(db: Session, now: datetime, *, at_once: bool = False, limit: int = 100) -> list[int]:
    """Ids of requests on which the controller has not decided and for which another attempt is due.

    Oldest first. ``at_once``: whatever the pause since the last attempt, because the controller is back.
    """
    due = now + LONGEST_PAUSE if at_once else now
    wanted = (
        select(JobRequest.id)
        .where(
            undecided(),
            JobRequest.created_at > now - RECENT,
            _due_at() <= due,
            # The worker's head start holds even then.
            JobRequest.last_submitted_at.is_not(None) | (JobRequest.created_at <= now - HEAD_START),
        )
        .order_by(JobRequest.id)
        .limit(limit)
    )
    return list(db.scalars(wanted))


def next_submission(db: Session, now: datetime) -> datetime | None:
    """When the next attempt to submit a request is due; None if all are settled."""
    return db.scalar(select(func.min(_due_at())).where(undecided(), JobRequest.created_at > now - RECENT))


def to_cancel(db: Session, now: datetime, *, limit: int = 100) -> list[int]:
    """Ids of cancellations that the controller has not got yet, oldest first."""
    wanted = (
        select(Cancellation.id)
        .where(
            Cancellation.sent_at.is_(None),
            Cancellation.refusal.is_(None),
            Cancellation.created_at <= now - HEAD_START,
        )
        .order_by(Cancellation.id)
        .limit(limit)
    )
    return list(db.scalars(wanted))
